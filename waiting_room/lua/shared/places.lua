-- Shared: the ranges of places, as in domain/waiting_room.py.

-- Below it are drawn places; from it on people are numbered as they arrive.
local ARRIVED = 4503599627370496
-- From it on are those who had an admission before: behind everybody who has had none yet.
local SECOND = 6755399441055744

local function is_second(place)
  return tonumber(place) >= SECOND
end
