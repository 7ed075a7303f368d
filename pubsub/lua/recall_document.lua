-- PROMISE
--   Reads a persisted document and marks it as used.
-- KEYS
--   1 texts       HASH: document hash -> text
--   2 used        SORTED SET: document hash by its last use in Unix seconds
--   3 size        INTEGER: bytes of all texts
-- ARGV
--   1 hash        of the document
--   2 lifetime    seconds
-- RETURNS {code, ...}
--   FOUND         the text
--   UNKNOWN       there is no such document
-- TTL
--   texts, used, size: `lifetime` from the last registration or use of any document
-- COST
--   O(log documents)

local text = redis.call('HGET', KEYS[1], ARGV[1])
if not text then return {'UNKNOWN'} end
redis.call('ZADD', KEYS[2], redis.call('TIME')[1], ARGV[1])
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ARGV[2]) end
return {'FOUND', text}
