-- PROMISE
--   Sets places to their state in PostgreSQL, each only if Redis still has the state that was seen.
-- KEYS
--   1 places      STRING: a byte a place: A free, H held, B booked, X blocked
--   2 meta        HASH: epoch, version
--   3 deltas      STREAM: id VERSION-0
--   4 claims      HASH: hold id -> its places, comma separated
--   5 deadlines   SORTED SET: hold id by deadline in Unix milliseconds
--   6 buyers      HASH: the holds of each person and network, see shared/buyers.lua
-- ARGV
--   1 channel     pub/sub channel of the event's versions
--   2 kept        entries that the delta stream keeps, about
--   3.. places    seven arguments a place: number, status seen, hold seen ('' for none), status to set,
--                 hold to set ('' for none), its deadline in Unix milliseconds ('' for none),
--                 its owner 'PERSON|ADDRESS|ACCOUNT|NETWORK', each of which may be empty
-- RETURNS {code, version, places}
--   CHANGED       these places have another status; the version shows it
--   NOTHING       no status changed
--   MISSING       the event is not in Redis
-- TTL
--   none: an event's keys live until the event is over
-- COST
--   O(places x places of their holds)
-- include: shared/publish_delta.lua
-- include: shared/buyers.lua

local function owns(hold, place)
  local listed = redis.call('HGET', KEYS[4], hold)
  return listed and string.find(',' .. listed .. ',', ',' .. place .. ',', 1, true)
end

local function disown(hold, place)
  local kept = {}
  for other in string.gmatch(redis.call('HGET', KEYS[4], hold) or '', '%d+') do
    if other ~= place then kept[#kept + 1] = other end
  end
  if #kept > 0 then
    redis.call('HSET', KEYS[4], hold, table.concat(kept, ','))
  else
    redis.call('HDEL', KEYS[4], hold)
    redis.call('ZREM', KEYS[5], hold)
  end
end

local function own(hold, place, deadline, owner)
  local listed = redis.call('HGET', KEYS[4], hold)
  if not owns(hold, place) then
    redis.call('HSET', KEYS[4], hold, listed and (listed .. ',' .. place) or place)
  end
  if not listed then list_hold(owner, hold) end
  if deadline ~= '' then
    redis.call('ZADD', KEYS[5], deadline, hold)
  else
    redis.call('ZREM', KEYS[5], hold)
  end
end

if redis.call('EXISTS', KEYS[2]) == 0 then return {'MISSING', 0, ''} end
local changes, changed = {}, {}
for index = 3, #ARGV, 7 do
  local place, seen, seen_hold = ARGV[index], ARGV[index + 1], ARGV[index + 2]
  local status, hold, deadline = ARGV[index + 3], ARGV[index + 4], ARGV[index + 5]
  local still = redis.call('GETRANGE', KEYS[1], place, place) == seen
  if still and (seen_hold == '' or owns(seen_hold, place)) then
    if seen_hold ~= '' and seen_hold ~= hold then disown(seen_hold, place) end
    if hold ~= '' then own(hold, place, deadline, ARGV[index + 6]) end
    if status ~= seen then
      changes[status] = changes[status] or {}
      table.insert(changes[status], place)
      changed[#changed + 1] = place
    end
  end
end
if #changed == 0 then return {'NOTHING', 0, ''} end

local delta = {}
for status, places in pairs(changes) do
  write_status(places, status)
  delta[#delta + 1] = status .. table.concat(places, ',')
end
return {'CHANGED', publish_delta(table.concat(delta, ';')), table.concat(changed, ',')}
