-- tally: how an org stands, all at one moment.
--
-- ARGV  none
-- Reply JSON: now, active, licensed, revoked (sizes), kept (places in the quota, by tickets), quota?, counters {field: text}

local fields = {}
local flat = redis.call('HGETALL', countersKey)
for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
return cjson.encode({
  now = text(now),
  active = redis.call('ZCARD', activeKey),
  licensed = redis.call('ZCARD', licensedKey),
  revoked = redis.call('ZCARD', revokedKey),
  kept = placesKept(licensedKey),
  quota = redis.call('HGET', settingsKey, 'quota') or nil,
  counters = fields,
})
