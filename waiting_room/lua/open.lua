-- PROMISE: the room has these settings, or later ones; one that Redis did not know is made, not ready until rebuilt
-- KEYS: meta
-- ARGV: enabled (0|1), selling (0|1), opens (ms), on_sale (ms, 0 none), per_minute, max_active, admission (ms), version (us, when they were set)
-- RETURNS: {OK} | {MISSING} it must be rebuilt from PostgreSQL before use
-- TTL: none
-- COST: O(1)
-- A worker that read the settings just before they were changed does not put the old ones back.
if tonumber(ARGV[8]) >= tonumber(redis.call('HGET', KEYS[1], 'version') or 0) then
  redis.call('HSET', KEYS[1], 'version', ARGV[8], 'enabled', ARGV[1], 'selling', ARGV[2], 'opens_ms', ARGV[3],
    'on_sale_ms', ARGV[4], 'per_minute', ARGV[5], 'max_active', ARGV[6], 'admission_ms', ARGV[7])
end
if redis.call('HGET', KEYS[1], 'ready') == '1' then
  return {'OK'}
end
redis.call('HSETNX', KEYS[1], 'ready', '0')
return {'MISSING'}
