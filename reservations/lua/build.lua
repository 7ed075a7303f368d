-- PROMISE
--   Replaces an event's places by those of PostgreSQL, under a new epoch; of simultaneous builds one wins.
-- KEYS
--   1 places      STRING: a byte a place: A free, H held, B booked, X blocked
--   2 meta        HASH: epoch, version, run (id of the server's run that it was built on)
--   3 deltas      STREAM: id VERSION-0
--   4 claims      HASH: hold id -> its places, comma separated
--   5 deadlines   SORTED SET: hold id by deadline in Unix milliseconds
--   6 buyers      HASH: the holds of each person and network, see shared/buyers.lua
-- ARGV
--   1 channel     sharded pub/sub channel of the event's versions
--   2 replaced    the epoch to replace, '' where there is none
--   3 epoch       the new epoch
--   4 version     its first version, above every version of every earlier epoch
--   5 places      a byte a place
--   6.. holds     four arguments a hold: id, places, deadline in Unix milliseconds ('' where booked), owner
--                 'PERSON|ADDRESS|ACCOUNT|NETWORK', each of which may be empty
-- RETURNS {code, version, places}
--   BUILT         the event is in Redis with this version; no places are returned
--   NOTHING       Redis has another epoch than the one to replace
-- TTL
--   none: an event's keys live until the event is over
-- COST
--   O(places + holds)
-- include: shared/buyers.lua

if (redis.call('HGET', KEYS[2], 'epoch') or '') ~= ARGV[2] then return {'NOTHING', 0, ''} end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6])
redis.call('SET', KEYS[1], ARGV[5])
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or ''
redis.call('HSET', KEYS[2], 'epoch', ARGV[3], 'version', ARGV[4], 'run', run)
for index = 6, #ARGV, 4 do
  redis.call('HSET', KEYS[4], ARGV[index], ARGV[index + 1])
  if ARGV[index + 2] ~= '' then redis.call('ZADD', KEYS[5], ARGV[index + 2], ARGV[index]) end
  list_hold(ARGV[index + 3], ARGV[index])
end
redis.call('SPUBLISH', ARGV[1], ARGV[4])
return {'BUILT', tonumber(ARGV[4]), ''}
