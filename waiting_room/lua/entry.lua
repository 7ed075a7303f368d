-- PROMISE
--   Reads where an account stands; the call counts as presence, and takes up an admission that is offered.
-- KEYS
--   1 meta        HASH: settings and counters
--   2 queue       SORTED SET: waiting user by place
--   3 active      SORTED SET: admitted user by end of the admission in Unix milliseconds
--   4 admissions  HASH: admitted user -> "nonce|ordinal|place"
--   5 past        HASH: user -> E (lapsed), L (left without an admission) or F (finished)
--   6 away        SORTED SET: waiting user without an open tab by end of the grace time in Unix milliseconds
--   7 offered     SORTED SET: admitted user who has not taken the admission up by end of the time for it in Unix milliseconds
--   8 passed      SORTED SET: user who was passed over and is away by place
--   9 returned    SORTED SET: user who was passed over and is back by place
-- ARGV
--   1 user        16 bytes
-- RETURNS {code, ...}
--   WAITING       place, ordinal (-1 before the draw, and while later arrivals can still be ahead), admitted, gone
--   ADMITTED      nonce, end of the admission in Unix milliseconds
--   EXPIRED       the admission has lapsed
--   LEFT          the account gave up its place, or finished
--   NONE          the account was never in this queue
--   MISSING       the room is not in Redis, is being rebuilt, or the server has restarted since it was built
-- TTL
--   none
-- COST
--   O(log n)
-- include: shared/server.lua
-- include: shared/places.lua

local meta = redis.call('HMGET', KEYS[1], 'ready', 'drawn_ms', 'admitted', 'confirmed', 'gone', 'run',
  'arrivals')
if meta[1] ~= '1' then
  return {'MISSING'}
end
-- A server that restarted may have lost its last second: the room is used again once it is rebuilt.
if server_run() ~= meta[6] then
  return {'MISSING'}
end
local user = ARGV[1]
local admitted, gone = tonumber(meta[3] or 0), tonumber(meta[5] or 0)
local place = redis.call('ZSCORE', KEYS[2], user)
if place then
  redis.call('ZREM', KEYS[6], user)
  -- An arrival of a network beyond its share has a later number: its position is known when others reach it.
  -- Of those who had an admission before, no position is known: everybody who still comes is ahead of them.
  if tonumber(meta[2] or 0) == 0 or place - ARRIVED > tonumber(meta[7] or 0) then
    return {'WAITING', place, -1, admitted, gone}
  end
  return {'WAITING', place, redis.call('ZRANK', KEYS[2], user) + admitted + 1, admitted, gone}
end
local ends = redis.call('ZSCORE', KEYS[3], user)
if ends then
  if tonumber(ends) <= now_ms() then
    return {'EXPIRED'}
  end
  redis.call('ZREM', KEYS[7], user)
  local nonce, ordinal = string.match(redis.call('HGET', KEYS[4], user), '^([^|]*)|([^|]*)')
  if tonumber(ordinal) > tonumber(meta[4] or 0) then
    -- PostgreSQL does not have this admission yet, so a crash could still undo it: clients see it later.
    return {'WAITING', '0', admitted + 1, admitted, gone}
  end
  return {'ADMITTED', nonce, ends}
end
local passed = redis.call('ZSCORE', KEYS[8], user)
if passed and is_second(passed) then
  redis.call('ZREM', KEYS[8], user)
  redis.call('ZADD', KEYS[2], passed, user)
  return {'WAITING', passed, -1, admitted, gone}
end
if passed then
  redis.call('ZREM', KEYS[8], user)
  redis.call('ZADD', KEYS[9], passed, user)
end
if passed or redis.call('ZSCORE', KEYS[9], user) then
  return {'WAITING', '0', admitted + 1, admitted, gone}
end
local past = redis.call('HGET', KEYS[5], user)
if not past then
  return {'NONE'}
end
return {past == 'E' and 'EXPIRED' or 'LEFT'}
