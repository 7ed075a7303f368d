-- PROMISE
--   Gives an account exactly one place, the one it has if it has one; after the draw, behind all others.
-- KEYS
--   1 meta        HASH: settings and counters
--   2 queue       SORTED SET: waiting user by place
--   3 active      SORTED SET: admitted user by end of the admission in Unix milliseconds
--   4 admissions  HASH: admitted user -> "nonce|ordinal"
--   5 past        HASH: user -> E (lapsed), L (left) or F (finished)
--   6 away        SORTED SET: waiting user without an open tab by end of the grace time in Unix milliseconds
--   7 journal     STREAM: every change of state, in order
--   8 address     INTEGER: new accounts of one network address within the window
-- ARGV
--   1 user        16 bytes
--   2 place       the place where the draw is still to come
--   3 most        the most new accounts of one address in the window; 0 for any number
--   4 window      milliseconds
-- RETURNS {code, ...}
--   OK            place (0 while admitted), id of the journal entry that must be durable before the client
--                 sees it, new (0 or 1), left before (0 or 1)
--   CLOSED        the queue cannot be joined now
--   CROWDED       too many new accounts from this address
--   MISSING       the room is not in Redis, is being rebuilt, or the server has restarted since it was built
-- TTL
--   address: the window, from its first account
-- COST
--   O(log n)
-- include: shared/server.lua

local meta = redis.call('HMGET', KEYS[1], 'ready', 'enabled', 'opens_ms', 'on_sale_ms', 'drawn_ms',
  'run')
if meta[1] ~= '1' then
  return {'MISSING'}
end
-- A server that restarted may have lost its last second: the room is used again once it is rebuilt.
if server_run() ~= meta[6] then
  return {'MISSING'}
end
local user = ARGV[1]
local now = now_ms()
local place = redis.call('ZSCORE', KEYS[2], user)
if place then
  redis.call('ZREM', KEYS[6], user)
  return {'OK', place, string.format('%.0f', now - 1) .. '-65535', 0, 0}
end
local ends = redis.call('ZSCORE', KEYS[3], user)
if ends and tonumber(ends) > now then
  return {'OK', '0', '0-0', 0, 0}
end
if meta[2] ~= '1' or now < tonumber(meta[3]) then
  return {'CLOSED'}
end
local most = tonumber(ARGV[3])
if most > 0 and tonumber(redis.call('GET', KEYS[8]) or 0) >= most then
  return {'CROWDED'}
end
if most > 0 and redis.call('INCR', KEYS[8]) == 1 then
  redis.call('PEXPIRE', KEYS[8], ARGV[4])
end
if ends then
  -- The admission has lapsed and the worker has not ended it yet: an account has one place only.
  redis.call('ZREM', KEYS[3], user)
  redis.call('HDEL', KEYS[4], user)
  redis.call('HINCRBY', KEYS[1], 'ended', 1)
end
place = ARGV[2]
if tonumber(meta[5] or 0) > 0 or now >= tonumber(meta[4]) then
  if tonumber(meta[5] or 0) == 0 then
    redis.call('HSET', KEYS[1], 'drawn_ms', string.format('%.0f', now))
  end
  -- The number is the clock's (microseconds since 2020): a server that lost its last number in a crash
  -- still numbers later accounts behind the earlier ones.
  local time = redis.call('TIME')
  local number = math.max(tonumber(redis.call('HGET', KEYS[1], 'arrivals') or 0) + 1,
    (time[1] - 1577836800) * 1000000 + time[2])
  redis.call('HSET', KEYS[1], 'arrivals', string.format('%.0f', number))
  place = string.format('%.0f', 4503599627370496 + number)
end
redis.call('ZADD', KEYS[2], place, user)
local left = redis.call('HDEL', KEYS[5], user)
local id = redis.call('XADD', KEYS[7], '*', 'u', user, 's', 'W', 'p', place)
return {'OK', place, id, 1, left}
