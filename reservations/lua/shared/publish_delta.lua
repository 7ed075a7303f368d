-- Shared tail of the scripts that change statuses: KEYS 1 places, 2 meta, 3 deltas; ARGV 1 channel, 2 kept.

-- Writes the status of each place, raises the version by one, appends the delta and wakes subscribers.
-- `changes` maps a status to its places; returns the new version.
local function publish_delta(changes)
  local delta = {}
  for status, places in pairs(changes) do
    for _, place in ipairs(places) do redis.call('SETRANGE', KEYS[1], place, status) end
    delta[#delta + 1] = status .. table.concat(places, ',')
  end
  local version = redis.call('HINCRBY', KEYS[2], 'version', 1)
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], version .. '-0', 'd', table.concat(delta, ';'))
  redis.call('PUBLISH', ARGV[1], version)
  return version
end
