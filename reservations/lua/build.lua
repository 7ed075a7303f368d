-- Puts an event's places, as PostgreSQL has them, under a new epoch; the first builder wins.
--
-- KEYS
--   1 places      string, a byte a place: A free, H held, B booked, X blocked
--   2 meta        hash: epoch, version, run (of the server that it was built on)
--   3 claims      hash: hold id -> its places, comma separated
--   4 deadlines   sorted set: hold id by deadline in Unix milliseconds
--   5 deltas      stream, id VERSION-0
-- ARGV
--   1 the epoch that is to be replaced, '' where there is none
--   2 the new epoch
--   3 the version it starts at, above every version of every earlier epoch
--   4 the places
--   5 channel to wake
--   6.. hold id, places, deadline in Unix milliseconds ('' where booked): three a hold
-- RETURNS {code, version, places}
--   BUILT     done
--   NOTHING   another epoch is there by now
-- TTL: none; an event's keys live until the event is over.
-- COST: O(places + holds)

if (redis.call('HGET', KEYS[2], 'epoch') or '') ~= ARGV[1] then return {'NOTHING', 0, ''} end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5])
redis.call('SET', KEYS[1], ARGV[4])
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or ''
redis.call('HSET', KEYS[2], 'epoch', ARGV[2], 'version', ARGV[3], 'run', run)
for index = 6, #ARGV, 3 do
  redis.call('HSET', KEYS[3], ARGV[index], ARGV[index + 1])
  if ARGV[index + 2] ~= '' then redis.call('ZADD', KEYS[4], ARGV[index + 2], ARGV[index]) end
end
redis.call('PUBLISH', ARGV[5], ARGV[3])
return {'BUILT', tonumber(ARGV[3]), ''}
