-- PROMISE: the account's place in the line, or its admission, is given up; once
-- KEYS: meta, line, active, admissions, past, away, journal, gone
-- ARGV: user (16 bytes), nonce (only the admission with it; empty: whatever there is), ending (L|F)
-- RETURNS: {OK, ended (0|1)} | {MISSING}
-- TTL: none
-- COST: O(log n)
local meta = redis.call('HMGET', KEYS[1], 'ready', 'drawn_ms')
if meta[1] ~= '1' then
  return {'MISSING'}
end
local user, nonce, ending = ARGV[1], ARGV[2], ARGV[3]
local ends = redis.call('ZSCORE', KEYS[3], user)
if ends then
  local own = string.match(redis.call('HGET', KEYS[4], user), '^(.*)|')
  if nonce ~= '' and nonce ~= own then
    return {'OK', 0}
  end
  local time = redis.call('TIME')
  local live = tonumber(ends) > time[1] * 1000 + math.floor(time[2] / 1000)
  if not live then
    ending = 'E'
  end
  redis.call('ZREM', KEYS[3], user)
  redis.call('HDEL', KEYS[4], user)
  redis.call('HINCRBY', KEYS[1], 'ended', 1)
  redis.call('HSET', KEYS[5], user, ending)
  redis.call('XADD', KEYS[7], '*', 'u', user, 's', ending)
  return {'OK', live and 1 or 0}
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
  -- A list cut short shows as a gap against the counter, and whoever listens reads again.
  if redis.call('LLEN', KEYS[8]) < 4096 then
    redis.call('RPUSH', KEYS[8], place)
  end
end
return {'OK', 1}
