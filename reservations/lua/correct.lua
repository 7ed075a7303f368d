-- Sets places to what PostgreSQL says of them, each only if it is still as it was seen to differ.
--
-- KEYS
--   1 places      string, a byte a place: A free, H held, B booked, X blocked
--   2 meta        hash: epoch, version
--   3 claims      hash: hold id -> its places, comma separated
--   4 deadlines   sorted set: hold id by deadline in Unix milliseconds
--   5 deltas      stream, id VERSION-0
-- ARGV
--   1 channel to wake
--   2 entries that the delta stream keeps, about
--   3.. place, state seen, hold seen ('' for none), state to set, hold to set ('' for none), its
--       deadline in Unix milliseconds ('' for none): six a place
-- RETURNS {code, version, places}
--   TURNED    these places were set; the version that shows it
--   NOTHING   none was as it had been seen
--   MISSING   this event is not in Redis
-- TTL: none; an event's keys live until the event is over.
-- COST: O(places x places of their holds)

local function owns(hold, place)
  local listed = redis.call('HGET', KEYS[3], hold)
  return listed and string.find(',' .. listed .. ',', ',' .. place .. ',', 1, true)
end

local function disown(hold, place)
  local kept = {}
  for other in string.gmatch(redis.call('HGET', KEYS[3], hold) or '', '%d+') do
    if other ~= place then kept[#kept + 1] = other end
  end
  if #kept > 0 then
    redis.call('HSET', KEYS[3], hold, table.concat(kept, ','))
  else
    redis.call('HDEL', KEYS[3], hold)
    redis.call('ZREM', KEYS[4], hold)
  end
end

local function own(hold, place, deadline)
  local listed = redis.call('HGET', KEYS[3], hold)
  if not owns(hold, place) then
    redis.call('HSET', KEYS[3], hold, listed and (listed .. ',' .. place) or place)
  end
  if deadline ~= '' then redis.call('ZADD', KEYS[4], deadline, hold) else redis.call('ZREM', KEYS[4], hold) end
end

if redis.call('EXISTS', KEYS[2]) == 0 then return {'MISSING', 0, ''} end
local groups, turned = {}, {}
for index = 3, #ARGV, 6 do
  local place, seen, seen_hold = ARGV[index], ARGV[index + 1], ARGV[index + 2]
  local state, hold, deadline = ARGV[index + 3], ARGV[index + 4], ARGV[index + 5]
  local still = redis.call('GETRANGE', KEYS[1], place, place) == seen
  if still and (seen_hold == '' or owns(seen_hold, place)) then
    if seen_hold ~= '' and seen_hold ~= hold then disown(seen_hold, place) end
    if hold ~= '' then own(hold, place, deadline) end
    if state ~= seen then
      redis.call('SETRANGE', KEYS[1], place, state)
      groups[state] = groups[state] or {}
      table.insert(groups[state], place)
      turned[#turned + 1] = place
    end
  end
end
if #turned == 0 then return {'NOTHING', 0, ''} end

local parts = {}
for state, places in pairs(groups) do parts[#parts + 1] = state .. table.concat(places, ',') end
local version = redis.call('HINCRBY', KEYS[2], 'version', 1)
redis.call('XADD', KEYS[5], 'MAXLEN', '~', ARGV[2], version .. '-0', 'd', table.concat(parts, ';'))
redis.call('PUBLISH', ARGV[1], version)
return {'TURNED', version, table.concat(turned, ',')}
