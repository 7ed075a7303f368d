-- PROMISE
--   Starts the grace time of waiting people without an open tab; then they lose their place.
-- KEYS
--   1 meta        HASH: settings and counters
--   2 queue       SORTED SET: waiting user by place
--   3 away        SORTED SET: waiting user without an open tab by end of the grace time in Unix milliseconds
-- ARGV
--   1 grace       milliseconds; it starts no earlier than the sale
--   2.. users     16 bytes each
-- RETURNS {code}
--   OK            the grace time has started
--   MISSING       the room is not in Redis or is being rebuilt
-- TTL
--   none
-- COST
--   O(users x log n)
-- include: shared/server.lua

local meta = redis.call('HMGET', KEYS[1], 'ready', 'on_sale_ms')
if meta[1] ~= '1' then
  return {'MISSING'}
end
local from = math.max(now_ms(), tonumber(meta[2]))
local deadline = string.format('%.0f', from + tonumber(ARGV[1]))
for i = 2, #ARGV do
  if redis.call('ZSCORE', KEYS[2], ARGV[i]) then
    redis.call('ZADD', KEYS[3], deadline, ARGV[i])
  end
end
return {'OK'}
