-- PROMISE
--   Stores a document and removes the least recently used ones until all texts fit into `most` bytes.
-- KEYS
--   1 texts       HASH: document hash -> text
--   2 used        SORTED SET: document hash by its last use in Unix seconds
--   3 size        INTEGER: bytes of all texts
-- ARGV
--   1 hash        of the document
--   2 text        of the document
--   3 most        bytes of all texts
--   4 lifetime    seconds
-- RETURNS {code, ...}
--   STORED        number of documents that were removed
-- TTL
--   texts, used, size: `lifetime` from the last registration or use of any document
-- COST
--   O(log documents) for each document that is stored or removed

local before = redis.call('HSTRLEN', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], redis.call('TIME')[1], ARGV[1])
local size = redis.call('INCRBY', KEYS[3], #ARGV[2] - before)
local removed = 0
while size > tonumber(ARGV[3]) do
  local oldest = redis.call('ZPOPMIN', KEYS[2])[1]
  if not oldest then
    -- One of the keys was lost, so the size is wrong: start again with an empty store.
    redis.call('DEL', unpack(KEYS))
    return {'STORED', removed}
  end
  size = redis.call('DECRBY', KEYS[3], redis.call('HSTRLEN', KEYS[1], oldest))
  redis.call('HDEL', KEYS[1], oldest)
  removed = removed + 1
end
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ARGV[4]) end
return {'STORED', removed}
