-- PROMISE: the rebuilt room is in use again, on the run of the server that it was closed on
-- KEYS: meta
-- ARGV: generation, drawn (ms, 0 before the draw)
-- RETURNS: {OK} | {REFUSED} another rebuild has begun, or the server has restarted since
-- TTL: none
-- COST: O(1)
local meta = redis.call('HMGET', KEYS[1], 'generation', 'drawn_ms', 'run')
if meta[1] ~= ARGV[1] or string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') ~= meta[3] then
  return {'REFUSED'}
end
redis.call('HSET', KEYS[1], 'ready', '1')
if tonumber(meta[2] or 0) == 0 then
  redis.call('HSET', KEYS[1], 'drawn_ms', ARGV[2])
end
return {'OK'}
