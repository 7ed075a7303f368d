-- PROMISE: whether this admission is live at this moment, by Redis's clock
-- KEYS: meta, line, active, admissions
-- ARGV: user (16 bytes), nonce (empty: none shown)
-- RETURNS: {ADMITTED, end (ms)} | {WAITING, enabled} | {NONE, enabled} | {MISSING}
-- TTL: none
-- COST: O(1)
local meta = redis.call('HMGET', KEYS[1], 'ready', 'enabled', 'run')
if meta[1] ~= '1' then
  return {'MISSING'}
end
-- Another run of the server may have lost its last second: it tells nobody anything until it is rebuilt.
if string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') ~= meta[3] then
  return {'MISSING'}
end
if ARGV[2] ~= '' then
  local ends = redis.call('ZSCORE', KEYS[3], ARGV[1])
  local time = redis.call('TIME')
  if ends and tonumber(ends) > time[1] * 1000 + math.floor(time[2] / 1000) then
    local own = string.match(redis.call('HGET', KEYS[4], ARGV[1]), '^(.*)|')
    if own == ARGV[2] then
      return {'ADMITTED', ends}
    end
  end
end
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  return {'WAITING', meta[2]}
end
return {'NONE', meta[2]}
