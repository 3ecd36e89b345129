-- trail: a stretch of both streams of an org's past, at one moment: else an event could be passed over that came between
-- two looks. Writes nothing.
--
-- ARGV  XRANGE or XREVRANGE, from, to, how many of each at most
-- Reply the entries of each stream

local command, from, to, count = unpack(ARGV)
local function stretch(stream)
  return redis.call(command, stream, from, to, 'COUNT', count)
end
return { stretch(eventsKey), stretch(actsKey) }
