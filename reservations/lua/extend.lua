-- PROMISE
--   Moves the deadline of a hold; a hold that is gone stays gone.
-- KEYS
--   1 meta        HASH: epoch, version
--   2 deadlines   SORTED SET: hold id by deadline in Unix milliseconds
-- ARGV
--   1 hold        hold id
--   2 deadline    Unix milliseconds, or '+inf' where only PostgreSQL may end the hold
-- RETURNS {code, version, places}
--   CHANGED       the hold has the new deadline; the version stays as it is and no places are returned
--   NOTHING       there is no such hold, or it has this deadline already
--   MISSING       the event is not in Redis
-- TTL
--   none: an event's keys live until the event is over
-- COST
--   O(log holds)

if redis.call('EXISTS', KEYS[1]) == 0 then return {'MISSING', 0, ''} end
if redis.call('ZADD', KEYS[2], 'XX', 'CH', ARGV[2], ARGV[1]) == 1 then return {'CHANGED', 0, ''} end
return {'NOTHING', 0, ''}
