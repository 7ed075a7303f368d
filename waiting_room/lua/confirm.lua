-- PROMISE
--   Removes from the journal what PostgreSQL has, and lets clients see the admissions in it.
-- KEYS
--   1 meta        HASH: settings and counters
--   2 journal     STREAM: every change of state, in order
-- ARGV
--   1 generation  of the rebuild that the caller knows
--   2 through     id of the last durable journal entry; '' for no new one
--   3 admitted    number of durable admissions
-- RETURNS {code}
--   OK            the journal is trimmed
--   REFUSED       the room was rebuilt in between
-- TTL
--   none
-- COST
--   O(entries trimmed)

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
