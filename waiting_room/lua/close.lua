-- PROMISE: nobody acts in the room until the rebuild that gets this generation is done, on this run of the server
-- KEYS: meta
-- ARGV:
-- RETURNS: {OK, generation, id of the last change that Redis saw reach PostgreSQL}
-- TTL: none
-- COST: O(1)
redis.call('HSET', KEYS[1], 'ready', '0', 'run', string.match(redis.call('INFO', 'server'), 'run_id:(%x+)'))
local generation = redis.call('HINCRBY', KEYS[1], 'generation', 1)
return {'OK', generation, redis.call('HGET', KEYS[1], 'drained') or '0-0'}
