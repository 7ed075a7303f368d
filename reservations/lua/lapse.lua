-- Frees the places of holds that are past their deadline, oldest first.
--
-- KEYS
--   1 places      string, a byte a place: A free, H held, B booked, X blocked
--   2 meta        hash: epoch, version
--   3 claims      hash: hold id -> its places, comma separated
--   4 deadlines   sorted set: hold id by deadline in Unix milliseconds
--   5 deltas      stream, id VERSION-0
-- ARGV
--   1 now, Unix milliseconds
--   2 how many holds at the most
--   3 channel to wake
--   4 entries that the delta stream keeps, about
-- RETURNS {code, version, hold ids}
--   LAPSED    these holds have ended; the version that shows it
--   NOTHING   no hold is past its deadline
--   MISSING   this event is not in Redis
-- TTL: none; an event's keys live until the event is over.
-- COST: O(log holds + places freed)

if redis.call('EXISTS', KEYS[2]) == 0 then return {'MISSING', 0, ''} end
local lapsed = redis.call('ZRANGE', KEYS[4], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[2])
if #lapsed == 0 then return {'NOTHING', 0, ''} end

local freed = {}
for _, hold in ipairs(lapsed) do
  for place in string.gmatch(redis.call('HGET', KEYS[3], hold) or '', '%d+') do
    if redis.call('GETRANGE', KEYS[1], place, place) == 'H' then
      redis.call('SETRANGE', KEYS[1], place, 'A')
      freed[#freed + 1] = place
    end
  end
  redis.call('HDEL', KEYS[3], hold)
  redis.call('ZREM', KEYS[4], hold)
end
if #freed == 0 then return {'LAPSED', 0, table.concat(lapsed, ',')} end

local version = redis.call('HINCRBY', KEYS[2], 'version', 1)
redis.call('XADD', KEYS[5], 'MAXLEN', '~', ARGV[4], version .. '-0', 'd', 'A' .. table.concat(freed, ','))
redis.call('PUBLISH', ARGV[3], version)
return {'LAPSED', version, table.concat(lapsed, ',')}
