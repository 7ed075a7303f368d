-- PROMISE: these people stand where PostgreSQL says, and no more than max_active of them are admitted
-- KEYS: meta, line, active, admissions, past
-- ARGV: generation, then for each person: user, state (W|A|E|L|F), place, nonce, end (ms)
-- RETURNS: {OK} | {REFUSED} another rebuild has begun, or this one is over
-- TTL: none
-- COST: O(people x log n); callers send 500 at a time
local meta = redis.call('HMGET', KEYS[1], 'ready', 'generation', 'max_active')
if meta[1] ~= '0' or meta[2] ~= ARGV[1] then
  return {'REFUSED'}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local room = tonumber(meta[3]) - redis.call('ZCARD', KEYS[3])
for i = 2, #ARGV, 5 do
  local user, state, place, nonce = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local ends = tonumber(ARGV[i + 4])
  local known = redis.call('ZSCORE', KEYS[3], user)
  if state == 'A' and ends <= now then
    state = 'E'
  end
  if state == 'A' and not known and room > 0 then
    redis.call('ZREM', KEYS[2], user)
    redis.call('ZADD', KEYS[3], ends, user)
    redis.call('HSET', KEYS[4], user, nonce .. '|0')
    redis.call('HDEL', KEYS[5], user)
    room = room - 1
  elseif state == 'W' or (state == 'A' and not known) then
    -- Beyond the cap an admission that was lost becomes the front of the line again.
    if known then
      redis.call('ZREM', KEYS[3], user)
      redis.call('HDEL', KEYS[4], user)
      room = room + 1
    end
    redis.call('ZADD', KEYS[2], place, user)
    redis.call('HDEL', KEYS[5], user)
  elseif state ~= 'A' then
    redis.call('ZREM', KEYS[2], user)
    if known then
      redis.call('ZREM', KEYS[3], user)
      redis.call('HDEL', KEYS[4], user)
      room = room + 1
    end
    redis.call('HSET', KEYS[5], user, state)
  end
end
return {'OK'}
