-- PROMISE
--   Reads an event's places together with the version that they have.
-- KEYS
--   1 places      STRING: a byte a place: A free, H held, B booked, X blocked
--   2 meta        HASH: epoch, version
--   3 deadlines   SORTED SET: hold id by deadline in Unix milliseconds
-- ARGV
--   1 now         Unix milliseconds
-- RETURNS {code, version, places, epoch}
--   READ          the places
--   LAPSED        the places, but a hold is past its deadline: end it, then ask again
--   MISSING       the event is not in Redis
-- TTL
--   none: an event's keys live until the event is over
-- COST
--   O(places) bytes copied

local meta = redis.call('HMGET', KEYS[2], 'version', 'epoch')
if not meta[1] then return {'MISSING', 0, '', ''} end
local lapsed = redis.call('ZRANGE', KEYS[3], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, 1)
local code = #lapsed > 0 and 'LAPSED' or 'READ'
return {code, tonumber(meta[1]), redis.call('GET', KEYS[1]), meta[2]}
