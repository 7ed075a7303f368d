-- PROMISE
--   Says whether an admission is live now, by the server's clock.
-- KEYS
--   1 meta        HASH: settings and counters
--   2 queue       SORTED SET: waiting user by place
--   3 active      SORTED SET: admitted user by end of the admission in Unix milliseconds
--   4 admissions  HASH: admitted user -> "nonce|ordinal|place"
-- ARGV
--   1 user        16 bytes
--   2 nonce       of the admission; '' where the buyer showed none
-- RETURNS {code, ...}
--   ADMITTED      end of the admission in Unix milliseconds
--   WAITING       enabled (0 or 1): the user waits
--   NONE          enabled (0 or 1): the user neither waits nor has this admission
--   MISSING       the room is not in Redis, is being rebuilt, or the server has restarted since it was built
-- TTL
--   none
-- COST
--   O(1)
-- include: shared/server.lua

local meta = redis.call('HMGET', KEYS[1], 'ready', 'enabled', 'run')
if meta[1] ~= '1' then
  return {'MISSING'}
end
-- A server that restarted may have lost its last second: the room is used again once it is rebuilt.
if server_run() ~= meta[3] then
  return {'MISSING'}
end
if ARGV[2] ~= '' then
  local ends = redis.call('ZSCORE', KEYS[3], ARGV[1])
  if ends and tonumber(ends) > now_ms() then
    local own = string.match(redis.call('HGET', KEYS[4], ARGV[1]), '^([^|]*)|')
    if own == ARGV[2] then
      return {'ADMITTED', ends}
    end
  end
end
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  return {'WAITING', meta[2]}
end
return {'NONE', meta[2]}
