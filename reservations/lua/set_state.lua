-- PROMISE
--   Sets the status of a hold's places, where the hold still owns them; a second call changes nothing.
-- KEYS
--   1 places      STRING: a byte a place: A free, H held, B booked, X blocked
--   2 meta        HASH: epoch, version
--   3 deltas      STREAM: id VERSION-0
--   4 claims      HASH: hold id -> its places, comma separated
--   5 deadlines   SORTED SET: hold id by deadline in Unix milliseconds
-- ARGV
--   1 channel     pub/sub channel of the event's versions
--   2 kept        entries that the delta stream keeps, about
--   3 hold        hold id
--   4 status      B books the places, A releases them
--   5 places      some places of the hold, comma separated; '' for all
-- RETURNS {code, version, places}
--   CHANGED       these places have the new status; the version shows it
--   NOTHING       the hold owns none of these places, or they have this status already
--   MISSING       the event is not in Redis
-- TTL
--   none: an event's keys live until the event is over
-- COST
--   O(places of the hold)
-- include: shared/publish_delta.lua

if redis.call('EXISTS', KEYS[2]) == 0 then return {'MISSING', 0, ''} end
local hold, status = ARGV[3], ARGV[4]
local owned = redis.call('HGET', KEYS[4], hold)
if not owned then return {'NOTHING', 0, ''} end

local wanted
if ARGV[5] ~= '' then
  wanted = {}
  for place in string.gmatch(ARGV[5], '%d+') do wanted[place] = true end
end

local kept, changed = {}, {}
for place in string.gmatch(owned, '%d+') do
  if wanted and not wanted[place] then
    kept[#kept + 1] = place
  else
    if redis.call('GETRANGE', KEYS[1], place, place) ~= status then changed[#changed + 1] = place end
    if status ~= 'A' then kept[#kept + 1] = place end
  end
end

if #kept == 0 then
  redis.call('HDEL', KEYS[4], hold)
else
  redis.call('HSET', KEYS[4], hold, table.concat(kept, ','))
end
if status == 'B' or #kept == 0 then redis.call('ZREM', KEYS[5], hold) end
if #changed == 0 then return {'NOTHING', 0, ''} end

write_status(changed, status)
local listed = table.concat(changed, ',')
return {'CHANGED', publish_delta(status .. listed), listed}
