-- Stands after past.lua before the scripts that change how much of its quota an org has issued.

-- Tells, once for each crossing, that nearly all and that all of the quota is issued, or kept by tickets.
local NEARLY = 90
local ALL = 100
local function noteQuota()
  local issued, told = unpack(redis.call('HMGET', countersKey, 'issued', 'quotaTold'))
  local quota = tonumber(redis.call('HGET', settingsKey, 'quota') or '0')
  issued, told = tonumber(issued or '0'), tonumber(told or '0')
  local percent = quota > 0 and 100 * (issued + placesKept(licensedKey)) / quota or 0
  local level = percent >= ALL and ALL or percent >= NEARLY and NEARLY or 0
  if level == told then return end
  redis.call('HSET', countersKey, 'quotaTold', level)
  if level < told then return end
  emit(level == ALL and 'org.quota_exhausted' or 'org.quota_nearly_used', {
    actor = 'broker', issued = text(issued), quota = text(quota),
  })
end
