-- Stands before every script. Times are Redis TIME in ms; epochs and times leave as text,
-- since Lua would print large numbers with an exponent.

local function nowMs()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function text(number)
  return string.format('%.0f', number)
end
