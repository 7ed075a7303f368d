-- Shared tail of the scripts that change statuses: KEYS 1 places, 2 meta, 3 deltas; ARGV 1 channel, 2 kept.

local function write_status(places, status)
  for _, place in ipairs(places) do redis.call('SETRANGE', KEYS[1], place, status) end
end

-- Raises the version by one, appends the delta (as H12,13 or A5;B7,8) and wakes subscribers; returns the
-- new version.
local function publish_delta(delta)
  local version = redis.call('HINCRBY', KEYS[2], 'version', 1)
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], version .. '-0', 'd', delta)
  redis.call('SPUBLISH', ARGV[1], version)
  return version
end
