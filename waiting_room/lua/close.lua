-- PROMISE
--   Stops all use of the room until the rebuild with the new generation is done, on this run of the server.
-- KEYS
--   1 meta        HASH: settings and counters
--   2 offered     SORTED SET: admitted user who has not taken the admission up by end of the time for it in Unix milliseconds
-- ARGV
--   none
-- RETURNS {code, ...}
--   OK            generation, id of the last journal entry that is known to be in PostgreSQL
-- TTL
--   none
-- COST
--   O(1)
-- include: shared/server.lua

-- What was taken up in the last second may be lost: every admission counts as taken up.
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[1], 'ready', '0', 'run', server_run())
local generation = redis.call('HINCRBY', KEYS[1], 'generation', 1)
return {'OK', generation, redis.call('HGET', KEYS[1], 'drained') or '0-0'}
