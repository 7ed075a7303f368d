-- PROMISE
--   Deletes an event that is over; the next reader builds it from PostgreSQL, under a new epoch.
-- KEYS
--   1 places      STRING: a byte a place: A free, H held, B booked, X blocked
--   2 meta        HASH: epoch, version
--   3 deltas      STREAM: id VERSION-0
--   4 claims      HASH: hold id -> its places, comma separated
--   5 deadlines   SORTED SET: hold id by deadline in Unix milliseconds
--   6 buyers      HASH: the holds of each person and network, see shared/buyers.lua
-- ARGV
--   1 now         Unix milliseconds
-- RETURNS {code, version, places}
--   RETIRED       the event is not in Redis any more; no places are returned
--   NOTHING       it stays, because a hold is not past its deadline
-- TTL
--   none
-- COST
--   O(log holds); the server frees the memory in the background

if redis.call('ZCOUNT', KEYS[5], ARGV[1], '+inf') > 0 then return {'NOTHING', 0, ''} end
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6])
return {'RETIRED', 0, ''}
