-- PROMISE
--   Frees the places of holds that are past their deadline, the earliest deadline first.
-- KEYS
--   1 places      STRING: a byte a place: A free, H held, B booked, X blocked
--   2 meta        HASH: epoch, version
--   3 deltas      STREAM: id VERSION-0
--   4 claims      HASH: hold id -> its places, comma separated
--   5 deadlines   SORTED SET: hold id by deadline in Unix milliseconds
-- ARGV
--   1 channel     pub/sub channel of the event's versions
--   2 kept        entries that the delta stream keeps, about
--   3 now         Unix milliseconds
--   4 most        the most holds to end
-- RETURNS {code, version, hold ids}
--   LAPSED        these holds have ended; the version shows it, 0 where no place became free
--   NOTHING       no hold is past its deadline
--   MISSING       the event is not in Redis
-- TTL
--   none: an event's keys live until the event is over
-- COST
--   O(log holds + places freed)
-- include: shared/publish_delta.lua

if redis.call('EXISTS', KEYS[2]) == 0 then return {'MISSING', 0, ''} end
local lapsed = redis.call('ZRANGE', KEYS[5], '-inf', ARGV[3], 'BYSCORE', 'LIMIT', 0, ARGV[4])
if #lapsed == 0 then return {'NOTHING', 0, ''} end

local freed = {}
for _, hold in ipairs(lapsed) do
  for place in string.gmatch(redis.call('HGET', KEYS[4], hold) or '', '%d+') do
    if redis.call('GETRANGE', KEYS[1], place, place) == 'H' then freed[#freed + 1] = place end
  end
  redis.call('HDEL', KEYS[4], hold)
  redis.call('ZREM', KEYS[5], hold)
end
if #freed == 0 then return {'LAPSED', 0, table.concat(lapsed, ',')} end

write_status(freed, 'A')
return {'LAPSED', publish_delta('A' .. table.concat(freed, ',')), table.concat(lapsed, ',')}
