-- answer: what the holder says to the question for its seat. The node of whoever asks is told; only that node completes.
--
-- Where programs share the session, all were asked, the first answer counts, and the others are told.
--
-- ARGV  JSON: org, user, sessionId, askId, connection, isYes, needMs?, channelPrefix
-- Reply for how many ms the question stands from now on: 0 after a yes or a no; -1 where it fits no question

local ask = readAsk()
if not ask or ask.id ~= order.askId or ask.sessionId ~= order.sessionId or ask.state == 'refused' then return -1 end
local value = redis.call('GET', leaseKey)
local holder = value and readLease(value)
if holder and holder.shared and ask.state ~= 'open' then return -1 end
local keptMs = 120000
if not order.isYes then
  -- After a no nobody is asked again for a minute.
  ask.state, keptMs = 'refused', 60000
elseif order.needMs then
  ask.untilMs = math.min(now + order.needMs, ask.atMs + 60000)
else
  ask.state = 'yes'
end
redis.call('SET', askKey, cjson.encode(ask), 'PX', keptMs)
local inMs = ask.state == 'open' and math.max(0, ask.untilMs - now) or 0
redis.call('PUBLISH', order.channelPrefix .. ask.nodeId, cjson.encode({
  type = 'answered', org = order.org, user = order.user, connection = ask.connection, askId = ask.id,
  state = ask.state, inMs = text(inMs),
}))
if holder and holder.shared and holder.sessionId == ask.sessionId then
  -- To all but the one that has answered.
  local others = sharersByNode(holder)
  for nodeId, connections in pairs(others) do
    for i = #connections, 1, -1 do
      if connections[i] == order.connection then table.remove(connections, i) end
    end
    if #connections == 0 then others[nodeId] = nil end
  end
  local notice = { type = 'withdrawn', askId = ask.id }
  if ask.state == 'open' then
    notice = { type = 'asked', askId = ask.id, inMs = text(inMs), askerNode = ask.nodeId, asker = ask.connection }
  end
  if ask.state ~= 'yes' and next(others) then notify(holder, notice, ask.state == 'open' and ask.machine or nil) end
end
return inMs
