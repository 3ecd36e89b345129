-- withdraw: takes a question for the seat back, as whoever asked has gone. The holder keeps the seat, also after a yes.
--
-- ARGV  JSON: org, user, askId, connection (that waited), channelPrefix
-- Reply 1 withdrawn, 0 there was no such question

redis.call('HDEL', waitersKey, order.connection)
local ask = order.askId and readAsk()
if not ask or ask.id ~= order.askId then return 0 end
redis.call('DEL', askKey)
local value = redis.call('GET', leaseKey)
local holder = value and readLease(value)
if holder and holder.sessionId == ask.sessionId then notify(holder, { type = 'withdrawn', askId = ask.id }) end
return 1
