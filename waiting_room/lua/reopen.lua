-- PROMISE
--   Puts the rebuilt room back in use, on the run of the server on which it was closed.
-- KEYS
--   1 meta        HASH: settings and counters
-- ARGV
--   1 generation  of the rebuild
--   2 drawn       time of the draw in Unix milliseconds, 0 before it
-- RETURNS {code}
--   OK            the room is in use
--   REFUSED       another rebuild has begun, or the server has restarted since
-- TTL
--   none
-- COST
--   O(1)
-- include: shared/server.lua

local meta = redis.call('HMGET', KEYS[1], 'generation', 'drawn_ms', 'run', 'arrivals')
if meta[1] ~= ARGV[1] or server_run() ~= meta[3] then
  return {'REFUSED'}
end
local arrivals = math.max(tonumber(meta[4] or 0), arrival_clock())
redis.call('HSET', KEYS[1], 'ready', '1', 'arrivals', string.format('%.0f', arrivals))
if tonumber(meta[2] or 0) == 0 then
  redis.call('HSET', KEYS[1], 'drawn_ms', ARGV[2])
end
return {'OK'}
