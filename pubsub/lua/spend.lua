-- PROMISE: an amount is taken out of a window's budget; all of it, or none where it does not fit
-- KEYS: spent
-- ARGV: amount, budget (of a whole window), lifetime (s)
-- RETURNS: {OK, spent after it} | {OVER, spent}
-- TTL: spent lives for lifetime from its first amount
-- COST: O(1)
local spent = tonumber(redis.call('GET', KEYS[1]) or '0')
if spent + ARGV[1] > tonumber(ARGV[2]) then
  return {'OVER', spent}
end
redis.call('INCRBY', KEYS[1], ARGV[1])
if spent == 0 then
  redis.call('EXPIRE', KEYS[1], ARGV[3])
end
return {'OK', spent + ARGV[1]}
