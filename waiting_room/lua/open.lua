-- PROMISE: the room has these settings; one that Redis did not know is made, not ready until rebuilt
-- KEYS: meta
-- ARGV: enabled (0|1), selling (0|1), opens (ms), on_sale (ms, 0 none), per_minute, max_active, admission (ms)
-- RETURNS: {OK} | {MISSING} it must be rebuilt from PostgreSQL before use
-- TTL: none
-- COST: O(1)
redis.call('HSET', KEYS[1], 'enabled', ARGV[1], 'selling', ARGV[2], 'opens_ms', ARGV[3],
  'on_sale_ms', ARGV[4], 'per_minute', ARGV[5], 'max_active', ARGV[6], 'admission_ms', ARGV[7])
if redis.call('HGET', KEYS[1], 'ready') == '1' then
  return {'OK'}
end
redis.call('HSETNX', KEYS[1], 'ready', '0')
return {'MISSING'}
