-- PROMISE: the rebuilt room is in use again, on this run of the server
-- KEYS: meta
-- ARGV: generation, run id of the server, drawn (ms, 0 before the draw)
-- RETURNS: {OK} | {REFUSED} another rebuild has begun
-- TTL: none
-- COST: O(1)
local meta = redis.call('HMGET', KEYS[1], 'generation', 'drawn_ms')
if meta[1] ~= ARGV[1] then
  return {'REFUSED'}
end
redis.call('HSET', KEYS[1], 'ready', '1', 'run', ARGV[2])
if tonumber(meta[2] or 0) == 0 then
  redis.call('HSET', KEYS[1], 'drawn_ms', ARGV[3])
end
return {'OK'}
