-- PROMISE
--   Puts people back to their state in PostgreSQL, with at most max_active of them admitted.
-- KEYS
--   1 meta        HASH: settings and counters
--   2 queue       SORTED SET: waiting user by place
--   3 active      SORTED SET: admitted user by end of the admission in Unix milliseconds
--   4 admissions  HASH: admitted user -> "nonce|ordinal|place"
--   5 past        HASH: user -> E (lapsed), L (left without an admission) or F (finished)
--   6 passed      SORTED SET: user who was passed over and is away by place
--   7 returned    SORTED SET: user who was passed over and is back by place
-- ARGV
--   1 generation  of the rebuild
--   2.. people    five arguments a person: user (16 bytes), state (W, A, P, E, L or F), place, nonce, end of
--                 the admission in Unix milliseconds
-- RETURNS {code}
--   OK            these people are in the room
--   REFUSED       another rebuild has begun, or this one is over
-- TTL
--   none
-- COST
--   O(people x log n); the caller sends 500 at a time
-- include: shared/server.lua

local meta = redis.call('HMGET', KEYS[1], 'ready', 'generation', 'max_active')
if meta[1] ~= '0' or meta[2] ~= ARGV[1] then
  return {'REFUSED'}
end
local now = now_ms()
local room = tonumber(meta[3]) - redis.call('ZCARD', KEYS[3])
for i = 2, #ARGV, 5 do
  local user, state, place, nonce = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local ends = tonumber(ARGV[i + 4])
  local known = redis.call('ZSCORE', KEYS[3], user)
  redis.call('ZREM', KEYS[6], user)
  redis.call('ZREM', KEYS[7], user)
  if state == 'A' and ends <= now then
    state = 'E'
  end
  if state == 'A' and not known and room > 0 then
    redis.call('ZREM', KEYS[2], user)
    redis.call('ZADD', KEYS[3], ends, user)
    redis.call('HSET', KEYS[4], user, nonce .. '|0|' .. place)
    redis.call('HDEL', KEYS[5], user)
    room = room - 1
  elseif state == 'W' or (state == 'A' and not known) then
    -- Above the cap a lost admission becomes the front of the queue again.
    if known then
      redis.call('ZREM', KEYS[3], user)
      redis.call('HDEL', KEYS[4], user)
      room = room + 1
    end
    redis.call('ZADD', KEYS[2], place, user)
    redis.call('HDEL', KEYS[5], user)
  elseif state ~= 'A' then
    redis.call('ZREM', KEYS[2], user)
    if known then
      redis.call('ZREM', KEYS[3], user)
      redis.call('HDEL', KEYS[4], user)
      room = room + 1
    end
    if state == 'P' then
      redis.call('ZADD', KEYS[6], place, user)
      redis.call('HDEL', KEYS[5], user)
    else
      redis.call('HSET', KEYS[5], user, state)
    end
  end
end
return {'OK'}
