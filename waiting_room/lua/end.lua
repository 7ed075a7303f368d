-- PROMISE
--   Ends the account's place in the queue or its admission, once.
-- KEYS
--   1 meta        HASH: settings and counters
--   2 queue       SORTED SET: waiting user by place
--   3 active      SORTED SET: admitted user by end of the admission in Unix milliseconds
--   4 admissions  HASH: admitted user -> "nonce|ordinal|place"
--   5 past        HASH: user -> E (lapsed), L (left without an admission) or F (finished)
--   6 away        SORTED SET: waiting user without an open tab by end of the grace time in Unix milliseconds
--   7 journal     STREAM: every change of state, in order
--   8 gone        LIST: places given up since the last tick, at most 4,096
--   9 offered     SORTED SET: admitted user who has not taken the admission up by end of the time for it in Unix milliseconds
--   10 passed      SORTED SET: user who was passed over and is away by place
--   11 returned    SORTED SET: user who was passed over and is back by place
-- ARGV
--   1 user        16 bytes
--   2 nonce       ends only the admission with it; '' ends whatever the account has
--   3 ending      L (left) or F (finished)
-- RETURNS {code, ...}
--   OK            1 where a place or a live admission ended, else 0
--   MISSING       the room is not in Redis or is being rebuilt
-- TTL
--   none
-- COST
--   O(log n)
-- include: shared/server.lua
-- include: shared/places.lua

local meta = redis.call('HMGET', KEYS[1], 'ready', 'drawn_ms')
if meta[1] ~= '1' then
  return {'MISSING'}
end
local user, nonce, ending = ARGV[1], ARGV[2], ARGV[3]
local ends = redis.call('ZSCORE', KEYS[3], user)
if ends then
  local own = string.match(redis.call('HGET', KEYS[4], user), '^([^|]*)|')
  if nonce ~= '' and nonce ~= own then
    return {'OK', 0}
  end
  local live = tonumber(ends) > now_ms()
  if not live then
    ending = 'E'
  elseif ending == 'L' then
    ending = 'F'  -- the admission was used: the next one comes after everybody who has had none
  end
  redis.call('ZREM', KEYS[3], user)
  redis.call('HDEL', KEYS[4], user)
  redis.call('ZREM', KEYS[9], user)
  redis.call('HINCRBY', KEYS[1], 'ended', 1)
  redis.call('HSET', KEYS[5], user, ending)
  redis.call('XADD', KEYS[7], '*', 'u', user, 's', ending)
  return {'OK', live and 1 or 0}
end
local waited = redis.call('ZSCORE', KEYS[2], user) or redis.call('ZSCORE', KEYS[10], user)
if waited and is_second(waited) then
  ending = 'F'
end
if nonce == '' and redis.call('ZREM', KEYS[10], user) + redis.call('ZREM', KEYS[11], user) > 0 then
  redis.call('HSET', KEYS[5], user, ending)
  redis.call('XADD', KEYS[7], '*', 'u', user, 's', ending)
  return {'OK', 1}
end
local place = redis.call('ZSCORE', KEYS[2], user)
if nonce ~= '' or not place then
  return {'OK', 0}
end
redis.call('ZREM', KEYS[2], user)
redis.call('ZREM', KEYS[6], user)
redis.call('HSET', KEYS[5], user, ending)
redis.call('XADD', KEYS[7], '*', 'u', user, 's', ending)
if tonumber(meta[2] or 0) > 0 then
  redis.call('HINCRBY', KEYS[1], 'gone', 1)
  -- A list that is cut short differs from the counter, so its readers read all positions again.
  if redis.call('LLEN', KEYS[8]) < 4096 then
    redis.call('RPUSH', KEYS[8], place)
  end
end
return {'OK', 1}
