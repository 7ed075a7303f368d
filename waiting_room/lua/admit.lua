-- PROMISE: lapsed admissions end; then as many people as rate and cap allow are admitted, each once, in order
-- KEYS: meta, line, active, admissions, past, away, journal, gone
-- ARGV: entropy (hex, fresh for each call), most admissions a call
-- RETURNS: {OK, now (ms), generation, enabled, selling, drawn (ms), waiting, active, admitted, gone, rate (a minute), endings, shopping (ms), lapsed, journal length, count, users..., places given up...} | {MISSING} the room is not there, or the server has restarted since it was
-- TTL: none
-- COST: O((lapsed + admitted + given up) x log n), each bounded: 1,000, ARGV[2], 500 and the 4,096 told
local meta = redis.call('HMGET', KEYS[1], 'ready', 'generation', 'enabled', 'selling', 'on_sale_ms',
  'per_minute', 'max_active', 'admission_ms', 'drawn_ms', 'credit', 'ticked_ms', 'rate', 'endings',
  'shopping_ms', 'counted', 'admitted', 'ended', 'run')
if meta[1] ~= '1' or meta[18] ~= string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') then
  return {'MISSING'}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local per_minute, max_active = tonumber(meta[6]), tonumber(meta[7])
local drawn, admitted = tonumber(meta[9] or 0), tonumber(meta[16] or 0)
local elapsed = math.max(0, now - tonumber(meta[11] or now))

local lapsed = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, 1000)
for _, user in ipairs(lapsed) do
  redis.call('ZREM', KEYS[3], user)
  redis.call('HDEL', KEYS[4], user)
  redis.call('HSET', KEYS[5], user, 'E')
  redis.call('XADD', KEYS[7], '*', 'u', user, 's', 'E')
end
local ended = tonumber(meta[17] or 0) + #lapsed
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
      redis.call('HSET', KEYS[5], user, 'L')
      redis.call('XADD', KEYS[7], '*', 'u', user, 's', 'L')
      redis.call('RPUSH', KEYS[8], place)
      redis.call('HINCRBY', KEYS[1], 'gone', 1)
    end
  end
end

-- A token bucket that holds one second's worth: smooth, and no burst after a pause. A clock that steps
-- back gives no credit, one that steps forward gives a second's at most.
local credit = math.min(math.max(1, per_minute / 60),
  tonumber(meta[10] or 1) + elapsed * per_minute / 60000)
local active = redis.call('ZCARD', KEYS[3])
local demand = redis.call('ZCARD', KEYS[2])
local count = 0
if drawn > 0 and meta[4] == '1' and now >= tonumber(meta[5]) then
  count = math.max(0, math.min(math.floor(credit), max_active - active, demand, tonumber(ARGV[2])))
end
local users = {}
if count > 0 then
  local ends = string.format('%.0f', now + tonumber(meta[8]))
  local popped = redis.call('ZPOPMIN', KEYS[2], count)
  for i = 1, #popped, 2 do
    local user, nonce = popped[i], string.sub(redis.sha1hex(ARGV[1] .. admitted), 1, 20)
    admitted = admitted + 1
    users[#users + 1] = user
    redis.call('ZADD', KEYS[3], ends, user)
    redis.call('HSET', KEYS[4], user, nonce .. '|' .. admitted)
    redis.call('HDEL', KEYS[5], user)
    redis.call('ZREM', KEYS[6], user)
    redis.call('XADD', KEYS[7], '*', 'u', user, 's', 'A', 'p', popped[i + 1], 'n', nonce, 'x', ends)
  end
end
credit = credit - count

-- What the estimate rests on: the rate over half a minute, and the last visits that ended, about one
-- turnover of the shop (but 50 to 1,000 visits). Fading by visits and not by time keeps the noise the same
-- in small rooms and in large ones, and forgets soon that at the start everyone has only just come.
local rate = tonumber(meta[12] or 0)
if elapsed > 0 and demand > 0 then
  local keep = math.exp(-elapsed / 30000)
  rate = rate * keep + (1 - keep) * count * 60000 / elapsed
end
local newly_ended = ended - tonumber(meta[15] or 0)
local fade = math.exp(-newly_ended / math.max(50, math.min(1000, max_active)))
local endings = tonumber(meta[13] or 0) * fade + newly_ended
local shopping = tonumber(meta[14] or 0) * fade + (active + #lapsed) * elapsed
redis.call('HSET', KEYS[1], 'drawn_ms', string.format('%.0f', drawn), 'credit', tostring(credit),
  'ticked_ms', string.format('%.0f', now), 'admitted', admitted, 'ended', ended, 'counted', ended,
  'rate', tostring(rate), 'endings', tostring(endings), 'shopping_ms', tostring(shopping))

local given_up = redis.call('LRANGE', KEYS[8], 0, -1)
redis.call('DEL', KEYS[8])
local answer = {'OK', now, tonumber(meta[2] or 0), meta[3], meta[4], string.format('%.0f', drawn),
  redis.call('ZCARD', KEYS[2]), redis.call('ZCARD', KEYS[3]), admitted,
  tonumber(redis.call('HGET', KEYS[1], 'gone') or 0), tostring(rate), tostring(endings),
  tostring(shopping), #lapsed, redis.call('XLEN', KEYS[7]), #users}
for _, user in ipairs(users) do
  answer[#answer + 1] = user
end
for _, place in ipairs(given_up) do
  answer[#answer + 1] = place
end
return answer
