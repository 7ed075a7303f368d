-- PROMISE: what PostgreSQL has is out of the journal, and the admissions in it may be told
-- KEYS: meta, journal
-- ARGV: generation, id of the last change that is durable (empty: no new one), admitted (the count that is durable)
-- RETURNS: {OK} | {REFUSED} the room was rebuilt in between
-- TTL: none
-- COST: O(changes trimmed)
local meta = redis.call('HMGET', KEYS[1], 'generation', 'confirmed')
if (meta[1] or '0') ~= ARGV[1] then
  return {'REFUSED'}
end
if ARGV[2] ~= '' then
  local milliseconds, order = string.match(ARGV[2], '^(%d+)-(%d+)$')
  redis.call('XTRIM', KEYS[2], 'MINID', '=', milliseconds .. '-' .. string.format('%.0f', order + 1))
  redis.call('HSET', KEYS[1], 'drained', ARGV[2])
end
if tonumber(ARGV[3]) > tonumber(meta[2] or 0) then
  redis.call('HSET', KEYS[1], 'confirmed', ARGV[3])
end
return {'OK'}
