-- PROMISE
--   Stops all use of the room until the rebuild with the new generation is done, on this run of the server.
-- KEYS
--   1 meta        HASH: settings and counters
-- ARGV
--   none
-- RETURNS {code, ...}
--   OK            generation, id of the last journal entry that is known to be in PostgreSQL
-- TTL
--   none
-- COST
--   O(1)
-- include: shared/server.lua

redis.call('HSET', KEYS[1], 'ready', '0', 'run', server_run())
local generation = redis.call('HINCRBY', KEYS[1], 'generation', 1)
return {'OK', generation, redis.call('HGET', KEYS[1], 'drained') or '0-0'}
