-- Shared: the clock of the server and the id of its run.

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The number of an arrival: microseconds since 2020.
local function arrival_clock()
  local time = redis.call('TIME')
  return (time[1] - 1577836800) * 1000000 + time[2]
end

-- Changes with each start of the server.
local function server_run()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end
