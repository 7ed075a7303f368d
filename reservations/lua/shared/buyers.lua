-- The holds of each buyer, for scripts with KEYS 6 buyers: 'p:PERSON' lists HOLD/ACCOUNT, 'u:ADDRESS' lists the
-- signed-in persons of a verified address, 'n:NETWORK' lists HOLD. A hold that has ended may still be listed.

local function append_once(field, entry)
  local listed = redis.call('HGET', KEYS[6], field)
  if listed and string.find(listed, entry, 1, true) then return end
  redis.call('HSET', KEYS[6], field, listed and (listed .. ',' .. entry) or entry)
end

-- An owner is 'PERSON|ADDRESS|ACCOUNT|NETWORK', each of which may be empty.
local function owner_parts(owner)
  return string.match(owner, '^(.-)|(.-)|(.-)|(.*)$')
end

local function list_hold(owner, hold)
  local person, address, account, network = owner_parts(owner)
  if person ~= '' then append_once('p:' .. person, hold .. '/' .. account) end
  if address ~= '' then append_once('u:' .. address, person) end
  if network ~= '' then append_once('n:' .. network, hold) end
end
