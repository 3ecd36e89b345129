-- Stands before every script. Epochs and times leave as text, since Lua would print large numbers with an exponent.

-- All that a script does, it does at one moment: Redis TIME, in µs and in ms.
local time = redis.call('TIME')
local nowUs = time[1] * 1000000 + time[2]
local now = math.floor(nowUs / 1000)

local function text(number)
  return string.format('%.0f', number)
end
