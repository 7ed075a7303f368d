-- PROMISE
--   Reads an event's places together with the version that they have.
-- KEYS
--   1 places      STRING: a byte a place: A free, H held, B booked, X blocked
--   2 meta        HASH: epoch, version
--   3 deadlines   SORTED SET: hold id by deadline in Unix milliseconds
-- ARGV
--   1 now         Unix milliseconds
--   2 known       EPOCH:VERSION that the caller has the places of, '' where it has none
-- RETURNS {code, version, places, epoch}
--   READ          the places
--   UNCHANGED     the caller has them; no places are returned
--   LAPSED        a hold is past its deadline: end it, then ask again; no places are returned
--   MISSING       the event is not in Redis
-- TTL
--   none: an event's keys live until the event is over
-- COST
--   O(places) bytes copied, none where the caller has them

local meta = redis.call('HMGET', KEYS[2], 'version', 'epoch')
if not meta[1] then return {'MISSING', 0, '', ''} end
local version = tonumber(meta[1])
local lapsed = redis.call('ZRANGE', KEYS[3], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, 1)
if #lapsed > 0 then return {'LAPSED', version, '', meta[2]} end
if ARGV[2] == meta[2] .. ':' .. meta[1] then return {'UNCHANGED', version, '', meta[2]} end
return {'READ', version, redis.call('GET', KEYS[1]), meta[2]}
