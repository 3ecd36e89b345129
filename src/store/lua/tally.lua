-- tally: how an org stands, all at one moment.
--
-- KEYS  counters, active, licensed, revoked, settings
-- ARGV  none
-- Reply JSON: now, active, licensed, revoked (sizes), quota?, counters {field: text}

local counters, active, licensed, revoked, settings = unpack(KEYS)
local fields = {}
local flat = redis.call('HGETALL', counters)
for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
return cjson.encode({
  now = text(now),
  active = redis.call('ZCARD', active),
  licensed = redis.call('ZCARD', licensed),
  revoked = redis.call('ZCARD', revoked),
  quota = redis.call('HGET', settings, 'quota') or nil,
  counters = fields,
})
