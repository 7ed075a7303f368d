-- PROMISE
--   Ends lapsed admissions, passes over the absent, then admits as many people as rate and cap allow, each once and in order.
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
--   1 entropy     hexadecimal digits, new for each call
--   2 most        the most admissions of one call
--   3 claim       milliseconds in which an admission is taken up
-- RETURNS {code, ...}
--   OK            now in Unix milliseconds, generation, enabled, selling, time of the draw in Unix
--                 milliseconds, waiting, active, admitted, gone, rate a minute, endings, shopping milliseconds, lapsed,
--                 length of the journal, offers, count, then `count` users, then the places given up
--   MISSING       the room is not in Redis, is being rebuilt, or the server has restarted since it was built
-- TTL
--   none
-- COST
--   O((lapsed + passed over + admitted + given up) x log n), each bounded: 1,000, 500, `most`, 500 and the
--   4,096 of `gone`
-- include: shared/server.lua
-- include: shared/places.lua

local meta = redis.call('HMGET', KEYS[1], 'ready', 'generation', 'enabled', 'selling', 'on_sale_ms',
  'per_minute', 'max_active', 'admission_ms', 'drawn_ms', 'credit', 'ticked_ms', 'rate', 'endings',
  'shopping_ms', 'counted', 'admitted', 'ended', 'run', 'arrivals',
  'confirmed', 'offers')
if meta[1] ~= '1' or meta[18] ~= server_run() then
  return {'MISSING'}
end
local now = now_ms()
local per_minute, max_active = tonumber(meta[6]), tonumber(meta[7])
local drawn, admitted = tonumber(meta[9] or 0), tonumber(meta[16] or 0)
local elapsed = math.max(0, now - tonumber(meta[11] or now))

local lapsed = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, 1000)
for _, user in ipairs(lapsed) do
  redis.call('ZREM', KEYS[3], user)
  redis.call('HDEL', KEYS[4], user)
  redis.call('ZREM', KEYS[9], user)
  redis.call('HSET', KEYS[5], user, 'E')
  redis.call('XADD', KEYS[7], '*', 'u', user, 's', 'E')
end
local passed_over = 0
for _, user in ipairs(redis.call('ZRANGEBYSCORE', KEYS[9], '-inf', now, 'LIMIT', 0, 500)) do
  local ordinal, place = string.match(redis.call('HGET', KEYS[4], user), '^[^|]*|([^|]*)|(.*)$')
  -- An admission that PostgreSQL does not have yet was not shown to anyone.
  if tonumber(ordinal) <= tonumber(meta[20] or 0) then
    redis.call('ZREM', KEYS[9], user)
    redis.call('ZREM', KEYS[3], user)
    redis.call('HDEL', KEYS[4], user)
    redis.call('ZADD', KEYS[10], place, user)
    redis.call('XADD', KEYS[7], '*', 'u', user, 's', 'P', 'p', place)
    passed_over = passed_over + 1
  end
end
local ended = tonumber(meta[17] or 0) + #lapsed + passed_over
redis.call('HINCRBY', KEYS[1], 'lapsed', #lapsed)

if drawn == 0 and now >= tonumber(meta[5]) then
  drawn = now
end
if drawn > 0 then
  for _, user in ipairs(redis.call('ZRANGEBYSCORE', KEYS[6], '-inf', now, 'LIMIT', 0, 500)) do
    redis.call('ZREM', KEYS[6], user)
    local place = redis.call('ZSCORE', KEYS[2], user)
    if place then
      redis.call('ZREM', KEYS[2], user)
      local ending = is_second(place) and 'F' or 'L'
      redis.call('HSET', KEYS[5], user, ending)
      redis.call('XADD', KEYS[7], '*', 'u', user, 's', ending)
      redis.call('RPUSH', KEYS[8], place)
      redis.call('HINCRBY', KEYS[1], 'gone', 1)
    end
  end
end

-- A token bucket of one second's admissions: a steady rate, and no burst after a pause. A clock that steps
-- back gives no credit, one that steps forward gives one second's at most.
local credit = math.min(math.max(1, per_minute / 60),
  tonumber(meta[10] or 1) + elapsed * per_minute / 60000)
local active = redis.call('ZCARD', KEYS[3])
local demand = redis.call('ZCARD', KEYS[2]) + redis.call('ZCARD', KEYS[11])
local count = 0
if drawn > 0 and meta[4] == '1' and now >= tonumber(meta[5]) then
  count = math.max(0, math.min(math.floor(credit), max_active - active, demand, tonumber(ARGV[2])))
end
local users = {}
-- `admitted` numbers the queue, on which positions are built; people who come back are ahead of it.
local offers = math.max(tonumber(meta[21] or 0), admitted)
local function offer(popped)
  local ends = string.format('%.0f', now + tonumber(meta[8]))
  local deadline = string.format('%.0f', now + tonumber(ARGV[3]))
  for i = 1, #popped, 2 do
    local user, nonce = popped[i], string.sub(redis.sha1hex(ARGV[1] .. offers), 1, 20)
    offers = offers + 1
    users[#users + 1] = user
    redis.call('ZADD', KEYS[9], deadline, user)
    redis.call('ZADD', KEYS[3], ends, user)
    redis.call('HSET', KEYS[4], user, nonce .. '|' .. offers .. '|' .. popped[i + 1])
    redis.call('HDEL', KEYS[5], user)
    redis.call('ZREM', KEYS[6], user)
    redis.call('XADD', KEYS[7], '*', 'u', user, 's', 'A', 'p', popped[i + 1], 'n', nonce, 'x', ends)
  end
end
if count > 0 then
  offer(redis.call('ZPOPMIN', KEYS[11], count))
  local back = #users
  if count > back then
    offer(redis.call('ZPOPMIN', KEYS[2], count - back))
  end
  admitted = admitted + #users - back
end
credit = credit - count

-- The inputs of the estimate: the rate over half a minute, and the latest visits that ended, about as many
-- as may shop at a time (50 to 1,000). Averages that fade by visits and not by time have the same noise in
-- small rooms as in large ones, and soon drop the start, when all visits are new.
local rate = tonumber(meta[12] or 0)
if elapsed > 0 and demand > 0 then
  local keep = math.exp(-elapsed / 30000)
  rate = rate * keep + (1 - keep) * count * 60000 / elapsed
end
local newly_ended = ended - tonumber(meta[15] or 0)
local fade = math.exp(-newly_ended / math.max(50, math.min(1000, max_active)))
local endings = tonumber(meta[13] or 0) * fade + newly_ended
local shopping = tonumber(meta[14] or 0) * fade + (active + #lapsed + passed_over) * elapsed
redis.call('HSET', KEYS[1], 'drawn_ms', string.format('%.0f', drawn), 'credit', tostring(credit),
  'ticked_ms', string.format('%.0f', now), 'admitted', admitted, 'offers', offers, 'ended', ended, 'counted', ended,
  'rate', tostring(rate), 'endings', tostring(endings), 'shopping_ms', tostring(shopping), 'arrivals',
  string.format('%.0f', math.max(tonumber(meta[19] or 0), arrival_clock())))

local given_up = redis.call('LRANGE', KEYS[8], 0, -1)
redis.call('DEL', KEYS[8])
local answer = {'OK', now, tonumber(meta[2] or 0), meta[3], meta[4], string.format('%.0f', drawn),
  demand - #users, redis.call('ZCARD', KEYS[3]), admitted,
  tonumber(redis.call('HGET', KEYS[1], 'gone') or 0), tostring(rate), tostring(endings),
  tostring(shopping), #lapsed, redis.call('XLEN', KEYS[7]), offers, #users}
for _, user in ipairs(users) do
  answer[#answer + 1] = user
end
for _, place in ipairs(given_up) do
  answer[#answer + 1] = place
end
return answer
