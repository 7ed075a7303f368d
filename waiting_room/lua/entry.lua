-- PROMISE: where this account stands now; asking counts as being here
-- KEYS: meta, line, active, admissions, past, away
-- ARGV: user (16 bytes)
-- RETURNS: {WAITING, place, ordinal (-1 before the draw), admitted, gone} | {ADMITTED, nonce, end (ms)} | {EXPIRED} | {LEFT} | {NONE} | {MISSING}
-- TTL: none
-- COST: O(log n)
local meta = redis.call('HMGET', KEYS[1], 'ready', 'drawn_ms', 'admitted', 'confirmed', 'gone', 'run')
if meta[1] ~= '1' then
  return {'MISSING'}
end
-- Another run of the server may have lost its last second: it tells nobody anything until it is rebuilt.
if string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') ~= meta[6] then
  return {'MISSING'}
end
local user = ARGV[1]
local admitted, gone = tonumber(meta[3] or 0), tonumber(meta[5] or 0)
local place = redis.call('ZSCORE', KEYS[2], user)
if place then
  redis.call('ZREM', KEYS[6], user)
  if tonumber(meta[2] or 0) == 0 then
    return {'WAITING', place, -1, admitted, gone}
  end
  return {'WAITING', place, redis.call('ZRANK', KEYS[2], user) + admitted + 1, admitted, gone}
end
local ends = redis.call('ZSCORE', KEYS[3], user)
if ends then
  local time = redis.call('TIME')
  if tonumber(ends) <= time[1] * 1000 + math.floor(time[2] / 1000) then
    return {'EXPIRED'}
  end
  local nonce, ordinal = string.match(redis.call('HGET', KEYS[4], user), '^(.*)|(.*)$')
  if tonumber(ordinal) > tonumber(meta[4] or 0) then
    -- Not in PostgreSQL yet: an admission that a crash could take back is not told to anyone.
    return {'WAITING', '0', admitted + 1, admitted, gone}
  end
  return {'ADMITTED', nonce, ends}
end
local past = redis.call('HGET', KEYS[5], user)
if not past then
  return {'NONE'}
end
return {past == 'E' and 'EXPIRED' or 'LEFT'}
