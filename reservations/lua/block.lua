-- Takes free places out of the sale, or puts blocked ones back: all or none.
--
-- KEYS
--   1 places      string, a byte a place: A free, H held, B booked, X blocked
--   2 meta        hash: epoch, version
--   3 deltas      stream, id VERSION-0
-- ARGV
--   1 places, comma separated
--   2 the state they must be in or be turned to already, A or X
--   3 the state to turn to, X or A
--   4 channel to wake
--   5 entries that the delta stream keeps, about
-- RETURNS {code, version, places}
--   TURNED    done; the version that shows it
--   NOTHING   they are in this state already
--   TAKEN     these places are held or booked; nothing was changed
--   MISSING   this event is not in Redis
-- TTL: none; an event's keys live until the event is over.
-- COST: O(places)

if redis.call('EXISTS', KEYS[2]) == 0 then return {'MISSING', 0, ''} end
local turned, taken = {}, {}
for place in string.gmatch(ARGV[1], '%d+') do
  local state = redis.call('GETRANGE', KEYS[1], place, place)
  if state == ARGV[2] then
    turned[#turned + 1] = place
  elseif state ~= ARGV[3] then
    taken[#taken + 1] = place
  end
end
if #taken > 0 then return {'TAKEN', 0, table.concat(taken, ',')} end
if #turned == 0 then return {'NOTHING', 0, ''} end

for _, place in ipairs(turned) do redis.call('SETRANGE', KEYS[1], place, ARGV[3]) end
local listed = table.concat(turned, ',')
local version = redis.call('HINCRBY', KEYS[2], 'version', 1)
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[5], version .. '-0', 'd', ARGV[3] .. listed)
redis.call('PUBLISH', ARGV[4], version)
return {'TURNED', version, listed}
