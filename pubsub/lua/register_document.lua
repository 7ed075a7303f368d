-- PROMISE: the document is kept, and all texts together are no larger than most; the least recently used go first
-- KEYS: texts, used, size
-- ARGV: hash, text, most (bytes), lifetime (s)
-- RETURNS: how many documents were forgotten for it
-- TTL: each key lives for lifetime from the last registration or reading of any document
-- COST: O(log n) for each document that is kept or forgotten; one may push out many that are smaller
local before = redis.call('HSTRLEN', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], redis.call('TIME')[1], ARGV[1])
local size = redis.call('INCRBY', KEYS[3], #ARGV[2] - before)
local forgotten = 0
while size > tonumber(ARGV[3]) do
  local oldest = redis.call('ZPOPMIN', KEYS[2])[1]
  if not oldest then
    redis.call('DEL', unpack(KEYS)) -- a key was lost alone, and with it the count: begin anew
    return forgotten
  end
  size = redis.call('DECRBY', KEYS[3], redis.call('HSTRLEN', KEYS[1], oldest))
  redis.call('HDEL', KEYS[1], oldest)
  forgotten = forgotten + 1
end
for _, key in ipairs(KEYS) do
  redis.call('EXPIRE', key, ARGV[4])
end
return forgotten
