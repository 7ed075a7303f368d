-- PROMISE
--   Holds all places of the first candidate that is wholly free, or none; the same hold id holds once.
--   The live tickets of a person, and the unpaid ones of a network, never exceed their limits.
-- KEYS
--   1 places      STRING: a byte a place: A free, H held, B booked, X blocked
--   2 meta        HASH: epoch, version
--   3 deltas      STREAM: id VERSION-0
--   4 claims      HASH: hold id -> its places, comma separated
--   5 deadlines   SORTED SET: hold id by deadline in Unix milliseconds
--   6 buyers      HASH: the holds of each person and network, see shared/buyers.lua
--   7 refusal     STRING: the code and the places of a request that was refused a moment ago
-- ARGV
--   1 channel     pub/sub channel of the event's versions
--   2 kept        entries that the delta stream keeps, about
--   3 hold        hold id
--   4 now         Unix milliseconds
--   5 deadline    Unix milliseconds
--   6 orphans     '1' where a candidate that leaves a single free seat is passed over, else '0'
--   7 range       general admission: 'FIRST,CAPACITY,QUANTITY', any QUANTITY free places of it; else ''
--   8 owner       'PERSON|ADDRESS|ACCOUNT|NETWORK', each of which may be empty
--   9 person      the most live tickets of a person, held and booked; 0 for no limit
--   10 network    the most unpaid tickets of a network; 0 for no limit
--   11.. candidates  each 'PLACE,PLACE,...|FIRST-LAST,FIRST-LAST': its places, then the rows they are in
-- RETURNS {code, version, places}
--   HELD          these places are held; the version shows it
--   REPLAY        this hold exists already, with these places
--   TAKEN         no candidate is free; the places of the first one that are not
--   LAPSED        as TAKEN, but a hold of this event is past its deadline: end it, then ask again
--   PERSON        the person would have too many; instead of places: what the person and the account have
--   NETWORK       the network would have too many unpaid tickets
--   ORPHAN        a candidate is free, but each leaves a single free seat where that can be avoided
--   MISSING       the event is not in Redis
-- TTL
--   none: an event's keys live until the event is over
-- COST
--   O(places + length of their rows); general admission O(capacity) bytes scanned;
--   for the limits O(holds of the person and of the network)
-- include: shared/publish_delta.lua
-- include: shared/buyers.lua

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

-- The live tickets of a list of holds, and those of one account. Holds that have ended leave the list; one that
-- is past its deadline does not count, but stays: its payment may have begun in time.
local function tickets_of(field, account, unpaid)
  local listed, kept, entries, tickets, own = redis.call('HGET', KEYS[6], field), {}, 0, 0, 0
  for entry in string.gmatch(listed or '', '[^,]+') do
    entries = entries + 1
    local hold, holder = string.match(entry, '^([^/]+)/?(.*)$')
    local places = redis.call('HGET', KEYS[4], hold)
    local deadline = places and redis.call('ZSCORE', KEYS[5], hold)
    if places and (deadline or not unpaid) then
      kept[#kept + 1] = entry
      if not deadline or deadline == 'inf' or tonumber(deadline) > tonumber(ARGV[4]) then
        local _, commas = string.gsub(places, ',', '')
        tickets = tickets + commas + 1
        if holder == account then own = own + commas + 1 end
      end
    end
  end
  if entries > 0 and #kept == 0 then
    redis.call('HDEL', KEYS[6], field)
  elseif #kept < entries then
    redis.call('HSET', KEYS[6], field, table.concat(kept, ','))
  end
  return tickets, own
end

local function tickets_of_person(person, address, account)
  local have, own = tickets_of('p:' .. person, account)
  if address ~= '' then have = have + tickets_of('p:' .. address, '') end
  local most = 0
  for user in string.gmatch(redis.call('HGET', KEYS[6], 'u:' .. person) or '', '[^,]+') do
    most = math.max(most, (tickets_of('p:' .. user, '')))
  end
  return have + most, own
end

-- The answer where `quantity` more tickets are too many; nil where they are not.
local function over_limit(quantity)
  local person, address, account, network = owner_parts(ARGV[8])
  local per_person, per_network = tonumber(ARGV[9]), tonumber(ARGV[10])
  if person ~= '' and per_person > 0 then
    local have, own = tickets_of_person(person, address, account)
    if have + quantity > per_person then return {'PERSON', 0, have .. ',' .. own} end
  end
  if network ~= '' and per_network > 0 then
    if tickets_of('n:' .. network, '', true) + quantity > per_network then return {'NETWORK', 0, ''} end
  end
end

local function is_live(field)
  local lists_persons = string.sub(field, 1, 2) == 'u:'
  for entry in string.gmatch(redis.call('HGET', KEYS[6], field) or '', '[^,]+') do
    if lists_persons then
      if redis.call('HEXISTS', KEYS[6], 'p:' .. entry) == 1 then return true end
    elseif redis.call('HEXISTS', KEYS[4], string.match(entry, '^[^/]+')) == 1 then
      return true
    end
  end
  return false
end

-- A hold adds at most three fields and looks at three, so that buyers who never come back do not pile up.
local function drop_ended_buyers()
  for _, field in ipairs(redis.call('HRANDFIELD', KEYS[6], 3)) do
    if not is_live(field) then redis.call('HDEL', KEYS[6], field) end
  end
end

local function hold(places)
  local refusal = over_limit(#places)
  if refusal then return refusal end
  drop_ended_buyers()
  list_hold(ARGV[8], ARGV[3])
  write_status(places, 'H')
  local listed = table.concat(places, ',')
  redis.call('HSET', KEYS[4], ARGV[3], listed)
  redis.call('ZADD', KEYS[5], ARGV[5], ARGV[3])
  return {'HELD', publish_delta('H' .. listed), listed}
end

if redis.call('EXISTS', KEYS[2]) == 0 then return {'MISSING', 0, ''} end
local already = redis.call('HGET', KEYS[4], ARGV[3])
if already then return {'REPLAY', 0, already} end
local refusal = redis.call('GET', KEYS[7])
if refusal then
  local code, places = string.match(refusal, '^(.-)|(.*)$')
  return {code, 0, places}
end

if ARGV[7] ~= '' then
  local places = general_admission(numbers(ARGV[7]))
  if places then return hold(places) end
  return refused('TAKEN', {})
end

local orphaned, first_taken = false, nil
for index = 11, #ARGV do
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
