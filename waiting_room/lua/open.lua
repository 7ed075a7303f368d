-- PROMISE
--   Stores the settings unless later ones are known; a new room is not ready until it is rebuilt.
-- KEYS
--   1 meta        HASH: settings and counters
-- ARGV
--   1 enabled     0 or 1
--   2 selling     0 or 1
--   3 opens       Unix milliseconds from which the queue can be joined
--   4 on_sale     Unix milliseconds, 0 for none
--   5 per_minute  admissions a minute
--   6 max_active  the most admissions at a time
--   7 admission   milliseconds that an admission lasts
--   8 version     Unix microseconds when the settings were made
-- RETURNS {code}
--   OK            the room is ready
--   MISSING       the room must be rebuilt from PostgreSQL first
-- TTL
--   none
-- COST
--   O(1)

-- A worker that read the settings just before a change does not restore the old ones.
if tonumber(ARGV[8]) >= tonumber(redis.call('HGET', KEYS[1], 'version') or 0) then
  redis.call('HSET', KEYS[1], 'version', ARGV[8], 'enabled', ARGV[1], 'selling', ARGV[2], 'opens_ms', ARGV[3],
    'on_sale_ms', ARGV[4], 'per_minute', ARGV[5], 'max_active', ARGV[6], 'admission_ms', ARGV[7])
end
if redis.call('HGET', KEYS[1], 'ready') == '1' then
  return {'OK'}
end
redis.call('HSETNX', KEYS[1], 'ready', '0')
return {'MISSING'}
