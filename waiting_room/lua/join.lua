-- PROMISE: this account has exactly one place, the one it had if it had one; once drawn, later is behind
-- KEYS: meta, line, active, admissions, past, away, journal, address
-- ARGV: user (16 bytes), drawn place, most accounts an address (0 any number), address window (ms)
-- RETURNS: {OK, place (0: shopping), id of the change (or one before it that this answer rests on), new (0|1), left before (0|1)} | {MISSING} | {CLOSED} | {CROWDED}
-- TTL: address: its window after the first account; nothing else
-- COST: O(log n)
local meta = redis.call('HMGET', KEYS[1], 'ready', 'enabled', 'opens_ms', 'on_sale_ms', 'drawn_ms',
  'run')
if meta[1] ~= '1' then
  return {'MISSING'}
end
-- Another run of the server may have lost its last second: it tells nobody anything until it is rebuilt.
if string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') ~= meta[6] then
  return {'MISSING'}
end
local user = ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
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
  -- Over by the clock and not yet swept: it ends here, so that one account is in one place.
  redis.call('ZREM', KEYS[3], user)
  redis.call('HDEL', KEYS[4], user)
  redis.call('HINCRBY', KEYS[1], 'ended', 1)
end
place = ARGV[2]
if tonumber(meta[5] or 0) > 0 or now >= tonumber(meta[4]) then
  if tonumber(meta[5] or 0) == 0 then
    redis.call('HSET', KEYS[1], 'drawn_ms', string.format('%.0f', now))
  end
  -- Numbered by the clock (microseconds since 2020), so that nobody who comes after a crash that lost
  -- the last number is ever in front of those it was given to.
  local number = math.max(tonumber(redis.call('HGET', KEYS[1], 'arrivals') or 0) + 1,
    (time[1] - 1577836800) * 1000000 + time[2])
  redis.call('HSET', KEYS[1], 'arrivals', string.format('%.0f', number))
  place = string.format('%.0f', 4503599627370496 + number)
end
redis.call('ZADD', KEYS[2], place, user)
local left = redis.call('HDEL', KEYS[5], user)
local id = redis.call('XADD', KEYS[7], '*', 'u', user, 's', 'W', 'p', place)
return {'OK', place, id, 1, left}
