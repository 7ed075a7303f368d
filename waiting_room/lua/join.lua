-- PROMISE
--   Gives an account exactly one place, the one it has if it has one; after the draw, behind all others, and
--   behind those who come later too where it had an admission already. A network beyond its share gets lots of less weight before the draw, and later arrival numbers after it.
-- KEYS
--   1 meta        HASH: settings and counters
--   2 queue       SORTED SET: waiting user by place
--   3 active      SORTED SET: admitted user by end of the admission in Unix milliseconds
--   4 admissions  HASH: admitted user -> "nonce|ordinal|place"
--   5 past        HASH: user -> E (lapsed), L (left without an admission) or F (finished)
--   6 away        SORTED SET: waiting user without an open tab by end of the grace time in Unix milliseconds
--   7 journal     STREAM: every change of state, in order
--   8 offered     SORTED SET: admitted user who has not taken the admission up by end of the time for it in Unix milliseconds
--   9 passed      SORTED SET: user who was passed over and is away by place
--   10 returned    SORTED SET: user who was passed over and is back by place
--   11 network    HASH: lots (points before the draw), due (arrival number at which the share is whole again)
-- ARGV
--   1 user        16 bytes
--   2 cost        points that the account takes from its network's share; 0 takes none
--   3 share       points that a network has at once
--   4 interval    microseconds until a point comes back
--   5 longest     microseconds that an arrival is put back at most
--   6 digest      of the network, '' where none counts
--   7.. places    the place where the draw is still to come, by weight class: class c has the weight 1 / 2^c
-- RETURNS {code, ...}
--   OK            place (0 while admitted or at the head of the queue), id of the journal entry that must be durable before the client
--                 sees it, new (0 or 1), left before (0 or 1)
--   CLOSED        the queue cannot be joined now
--   CROWDED       too many new accounts from this network
--   MISSING       the room is not in Redis, is being rebuilt, or the server has restarted since it was built
-- TTL
--   network: a day after the start of the sale; after the draw, until the share is whole again
-- COST
--   O(log n)
-- include: shared/server.lua
-- include: shared/places.lua

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
if redis.call('ZSCORE', KEYS[10], user) then
  return {'OK', '0', '0-0', 0, 0}
end
local passed = redis.call('ZSCORE', KEYS[9], user)
if passed then
  redis.call('ZREM', KEYS[9], user)
  if is_second(passed) then
    redis.call('ZADD', KEYS[2], passed, user)
    return {'OK', passed, '0-0', 0, 0}
  end
  redis.call('ZADD', KEYS[10], passed, user)
  return {'OK', '0', '0-0', 0, 0}
end
if ends and tonumber(ends) > now then
  redis.call('ZREM', KEYS[8], user)
  return {'OK', '0', '0-0', 0, 0}
end
if meta[2] ~= '1' or now < tonumber(meta[3]) then
  return {'CLOSED'}
end
local cost, share, interval = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local is_drawn = tonumber(meta[5] or 0) > 0 or now >= tonumber(meta[4])
local class, delay = 0, 0
if cost > 0 and not is_drawn then
  -- Class c has room for 2^c shares, so that each class has the weight of one share.
  local used = tonumber(redis.call('HGET', KEYS[11], 'lots') or 0) + cost
  while used > share * (2 ^ (class + 1) - 1) do
    class = class + 1
  end
  if class > #ARGV - 7 then
    return {'CROWDED'}
  end
  redis.call('HSET', KEYS[11], 'lots', used)
  redis.call('PEXPIREAT', KEYS[11], string.format('%.0f', tonumber(meta[4]) + 86400000))
elseif cost > 0 then
  local clock = arrival_clock()
  local due = math.max(clock, tonumber(redis.call('HGET', KEYS[11], 'due') or 0)) + cost * interval
  delay = math.max(0, due - clock - share * interval)
  if delay > tonumber(ARGV[5]) then
    return {'CROWDED'}
  end
  redis.call('HSET', KEYS[11], 'due', string.format('%.0f', due))
  redis.call('PEXPIRE', KEYS[11], string.format('%.0f', math.ceil((due - clock) / 1000)))
end
local past = redis.call('HGET', KEYS[5], user)
local had_admission = ends or past == 'E' or past == 'F'
if ends then
  -- The admission has lapsed and the worker has not ended it yet: an account has one place only.
  redis.call('ZREM', KEYS[3], user)
  redis.call('HDEL', KEYS[4], user)
  redis.call('ZREM', KEYS[8], user)
  redis.call('HINCRBY', KEYS[1], 'ended', 1)
end
place = class == 0 and ARGV[7] or ARGV[7 + class]
if is_drawn then
  if tonumber(meta[5] or 0) == 0 then
    redis.call('HSET', KEYS[1], 'drawn_ms', string.format('%.0f', now))
  end
  -- The number is the clock's (microseconds since 2020): a server that lost its last number in a crash
  -- still numbers later accounts behind the earlier ones.
  local number = math.max(tonumber(redis.call('HGET', KEYS[1], 'arrivals') or 0) + 1, arrival_clock())
  redis.call('HSET', KEYS[1], 'arrivals', string.format('%.0f', number))
  place = string.format('%.0f', (had_admission and SECOND or ARRIVED) + number + delay)
end
redis.call('ZADD', KEYS[2], place, user)
local left = redis.call('HDEL', KEYS[5], user)
local id = redis.call('XADD', KEYS[7], '*', 'u', user, 's', 'W', 'p', place, 'w', ARGV[6], 'c', cost)
return {'OK', place, id, 1, left}
