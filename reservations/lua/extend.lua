-- Moves the deadline of a hold; one that is gone stays gone.
--
-- KEYS
--   1 meta        hash: epoch, version
--   2 deadlines   sorted set: hold id by deadline in Unix milliseconds
-- ARGV
--   1 hold id
--   2 deadline, Unix milliseconds, or '+inf' where only PostgreSQL may end it
-- RETURNS {code, version, places}
--   TURNED    moved
--   NOTHING   there is no such hold, or it has this deadline
--   MISSING   this event is not in Redis
-- TTL: none; an event's keys live until the event is over.
-- COST: O(log holds)

if redis.call('EXISTS', KEYS[1]) == 0 then return {'MISSING', 0, ''} end
if redis.call('ZADD', KEYS[2], 'XX', 'CH', ARGV[2], ARGV[1]) == 1 then return {'TURNED', 0, ''} end
return {'NOTHING', 0, ''}
