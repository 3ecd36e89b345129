-- tick: brings the org's seat time and the peak of this hour up to date while nobody comes or goes.
--
-- KEYS  those of seat.lua, for any user
-- ARGV  none
-- Reply how many are active

writeAtMaxmemory()
local now = nowMs()
accountTime(now)
if redis.call('ZCARD', active) > 0 then
  notePeak(now)
  redis.call('PEXPIRE', usage, USAGE_MS)
end
return redis.call('ZCARD', active)
