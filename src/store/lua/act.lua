-- act: writes an event about what somebody did, where nothing else of the org changes.
--
-- ARGV  JSON: org, type, fields
-- Reply 1

local order = cjson.decode(ARGV[1])
org = order.org
emit(order.type, order.fields)
return 1
