-- Turns places of one hold into another state, where the hold still owns them; safe to do twice.
--
-- KEYS
--   1 places      string, a byte a place: A free, H held, B booked, X blocked
--   2 meta        hash: epoch, version
--   3 claims      hash: hold id -> its places, comma separated
--   4 deadlines   sorted set: hold id by deadline in Unix milliseconds
--   5 deltas      stream, id VERSION-0
-- ARGV
--   1 hold id
--   2 the state to turn to: B books, A gives back
--   3 channel to wake
--   4 entries that the delta stream keeps, about
--   5 '' for all places of the hold, or some of them, comma separated
-- RETURNS {code, version, places}
--   TURNED    done; the version that shows it
--   NOTHING   the hold owns none of these places, or they are in this state already
--   MISSING   this event is not in Redis
-- TTL: none; an event's keys live until the event is over.
-- COST: O(places of the hold)

if redis.call('EXISTS', KEYS[2]) == 0 then return {'MISSING', 0, ''} end
local owned = redis.call('HGET', KEYS[3], ARGV[1])
if not owned then return {'NOTHING', 0, ''} end

local wanted
if ARGV[5] ~= '' then
  wanted = {}
  for place in string.gmatch(ARGV[5], '%d+') do wanted[place] = true end
end

local kept, turned = {}, {}
for place in string.gmatch(owned, '%d+') do
  if wanted and not wanted[place] then
    kept[#kept + 1] = place
  else
    if redis.call('GETRANGE', KEYS[1], place, place) ~= ARGV[2] then turned[#turned + 1] = place end
    if ARGV[2] ~= 'A' then kept[#kept + 1] = place end
  end
end

for _, place in ipairs(turned) do redis.call('SETRANGE', KEYS[1], place, ARGV[2]) end
if #kept == 0 then
  redis.call('HDEL', KEYS[3], ARGV[1])
else
  redis.call('HSET', KEYS[3], ARGV[1], table.concat(kept, ','))
end
if ARGV[2] == 'B' or #kept == 0 then redis.call('ZREM', KEYS[4], ARGV[1]) end
if #turned == 0 then return {'NOTHING', 0, ''} end

local listed = table.concat(turned, ',')
local version = redis.call('HINCRBY', KEYS[2], 'version', 1)
redis.call('XADD', KEYS[5], 'MAXLEN', '~', ARGV[4], version .. '-0', 'd', ARGV[2] .. listed)
redis.call('PUBLISH', ARGV[3], version)
return {'TURNED', version, listed}
