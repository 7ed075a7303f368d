-- PROMISE
--   Takes free places out of the sale, or puts blocked ones back; all of them or none.
-- KEYS
--   1 places      STRING: a byte a place: A free, H held, B booked, X blocked
--   2 meta        HASH: epoch, version
--   3 deltas      STREAM: id VERSION-0
-- ARGV
--   1 channel     pub/sub channel of the event's versions
--   2 kept        entries that the delta stream keeps, about
--   3 places      numbers, comma separated
--   4 before      the status that the places must have, unless they have `after` already: A or X
--   5 after       the status to set: X or A
-- RETURNS {code, version, places}
--   CHANGED       these places have the new status; the version shows it
--   NOTHING       all places have this status already
--   TAKEN         these places are held or booked; nothing changed
--   MISSING       the event is not in Redis
-- TTL
--   none: an event's keys live until the event is over
-- COST
--   O(places)
-- include: shared/publish_delta.lua

if redis.call('EXISTS', KEYS[2]) == 0 then return {'MISSING', 0, ''} end
local before, after = ARGV[4], ARGV[5]
local changed, taken = {}, {}
for place in string.gmatch(ARGV[3], '%d+') do
  local status = redis.call('GETRANGE', KEYS[1], place, place)
  if status == before then
    changed[#changed + 1] = place
  elseif status ~= after then
    taken[#taken + 1] = place
  end
end
if #taken > 0 then return {'TAKEN', 0, table.concat(taken, ',')} end
if #changed == 0 then return {'NOTHING', 0, ''} end

write_status(changed, after)
local listed = table.concat(changed, ',')
return {'CHANGED', publish_delta(after .. listed), listed}
