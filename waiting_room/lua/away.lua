-- PROMISE: those of these people who wait, and are not heard of again, give up their place after the grace time
-- KEYS: meta, line, away
-- ARGV: grace (ms), then users (16 bytes each)
-- RETURNS: {OK} | {MISSING}
-- TTL: none; the grace time starts no earlier than the sale
-- COST: O(users x log n)
local meta = redis.call('HMGET', KEYS[1], 'ready', 'on_sale_ms')
if meta[1] ~= '1' then
  return {'MISSING'}
end
local time = redis.call('TIME')
local from = math.max(time[1] * 1000 + math.floor(time[2] / 1000), tonumber(meta[2]))
local deadline = string.format('%.0f', from + tonumber(ARGV[1]))
for i = 2, #ARGV do
  if redis.call('ZSCORE', KEYS[2], ARGV[i]) then
    redis.call('ZADD', KEYS[3], deadline, ARGV[i])
  end
end
return {'OK'}
