-- PROMISE: a document that is asked for is forgotten after all that were not
-- KEYS: texts, used, size
-- ARGV: hash, lifetime (s)
-- RETURNS: its text, or nil
-- TTL: each key lives for lifetime from the last registration or reading of any document
-- COST: O(log n)
local text = redis.call('HGET', KEYS[1], ARGV[1])
if text then
  redis.call('ZADD', KEYS[2], redis.call('TIME')[1], ARGV[1])
  for _, key in ipairs(KEYS) do
    redis.call('EXPIRE', key, ARGV[2])
  end
end
return text
