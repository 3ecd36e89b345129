-- tick: brings the org's seat time and the peak of this hour up to date while nobody comes or goes.
--
-- KEYS  those of seat.lua, for any user
-- ARGV  none
-- Reply how many are active

writeAtMaxmemory()
local seats = redis.call('ZCARD', active)
accountTime(seats)
if seats > 0 then notePeak(seats) end
return seats
