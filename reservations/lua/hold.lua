-- PROMISE
--   Holds all places of the first candidate that is wholly free, or none; the same hold id holds once.
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
--   4 now         Unix milliseconds
--   5 deadline    Unix milliseconds
--   6 orphans     '1' where a candidate that leaves a single free seat is passed over, else '0'
--   7 range       general admission: 'FIRST,CAPACITY,QUANTITY', any QUANTITY free places of it; else ''
--   8.. candidates  each 'PLACE,PLACE,...|FIRST-LAST,FIRST-LAST': its places, then the rows they are in
-- RETURNS {code, version, places}
--   HELD          these places are held; the version shows it
--   REPLAY        this hold exists already, with these places
--   TAKEN         no candidate is free; the places of the first one that are not
--   LAPSED        as TAKEN, but a hold of this event is past its deadline: end it, then ask again
--   ORPHAN        a candidate is free, but each leaves a single free seat where that can be avoided
--   MISSING       the event is not in Redis
-- TTL
--   none: an event's keys live until the event is over
-- COST
--   O(places + length of their rows); general admission O(capacity) bytes scanned
-- include: shared/publish_delta.lua

local function numbers(text)
  local found = {}
  for number in string.gmatch(text, '%d+') do
    found[#found + 1] = tonumber(number)
  end
  return found
end

local function taken_of(places)
  local taken = {}
  for _, place in ipairs(places) do
    if redis.call('GETRANGE', KEYS[1], place, place) ~= 'A' then
      taken[#taken + 1] = place
    end
  end
  return taken
end

-- The rule of tests/orphan_rule.py: a run of L free seats from which k are chosen may be left with a hole
-- of one only where L - k is 1, since then every choice leaves one.
local function leaves_orphan(first, last, chosen)
  local row = redis.call('GETRANGE', KEYS[1], first, last)
  local position = 1
  while position <= #row do
    if string.byte(row, position) ~= 65 then
      position = position + 1
    else
      local run, picked, hole, single = 0, 0, 0, false
      while position <= #row and string.byte(row, position) == 65 do
        run = run + 1
        if chosen[first + position - 1] then
          picked = picked + 1
          if hole == 1 then single = true end
          hole = 0
        else
          hole = hole + 1
        end
        position = position + 1
      end
      if hole == 1 then single = true end
      if picked > 0 and single and run - picked ~= 1 then return true end
    end
  end
  return false
end

local function orphans(rows, places)
  local chosen = {}
  for _, place in ipairs(places) do chosen[place] = true end
  for first, last in string.gmatch(rows, '(%d+)-(%d+)') do
    if leaves_orphan(tonumber(first), tonumber(last), chosen) then return true end
  end
  return false
end

local function general_admission(range)
  local first, capacity, quantity = range[1], range[2], range[3]
  local free = redis.call('GETRANGE', KEYS[1], first, first + capacity - 1)
  local places, from = {}, 1
  while #places < quantity do
    local at = string.find(free, 'A', from, true)
    if not at then return nil end
    places[#places + 1] = first + at - 1
    from = at + 1
  end
  return places
end

local function refused(code, places)
  local lapsed = redis.call('ZRANGE', KEYS[5], '-inf', ARGV[4], 'BYSCORE', 'LIMIT', 0, 1)
  if #lapsed > 0 then code = 'LAPSED' end
  return {code, 0, table.concat(places, ',')}
end

local function hold(places)
  write_status(places, 'H')
  local listed = table.concat(places, ',')
  redis.call('HSET', KEYS[4], ARGV[3], listed)
  redis.call('ZADD', KEYS[5], ARGV[5], ARGV[3])
  return {'HELD', publish_delta('H' .. listed), listed}
end

if redis.call('EXISTS', KEYS[2]) == 0 then return {'MISSING', 0, ''} end
local already = redis.call('HGET', KEYS[4], ARGV[3])
if already then return {'REPLAY', 0, already} end

if ARGV[7] ~= '' then
  local places = general_admission(numbers(ARGV[7]))
  if places then return hold(places) end
  return refused('TAKEN', {})
end

local orphaned, first_taken = false, nil
for index = 8, #ARGV do
  local listed, rows = string.match(ARGV[index], '^(.-)|(.*)$')
  local places = numbers(listed)
  local taken = taken_of(places)
  first_taken = first_taken or taken
  if #taken == 0 then
    if ARGV[6] == '1' and orphans(rows, places) then
      orphaned = true
    else
      return hold(places)
    end
  end
end
if orphaned then return {'ORPHAN', 0, ''} end
return refused('TAKEN', first_taken)
