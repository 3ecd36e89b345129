-- ask: whether a claim may displace the holder, and the question to the holder where it has to be asked. Stands after seat.lua
-- before claim.lua. One question at a time; the sessionId guards it, so that a holder that resumes is still the one asked.

local ASK_KEPT_MS = 120000

-- Whether the holder may be displaced: 'yes', 'no', 'asking' (it has to be asked), 'wait' (the answer is still to come) or
-- 'refused' (it said no).
local function mayDisplace(holder)
  local ask = readAsk()
  local isOpen = ask and ask.sessionId == holder.sessionId
  if order.onConflict == 'takeover' then
    local isRefused = isOpen and ask.state == 'refused'
    return isRefused and redis.call('HGET', settingsKey, 'askRefusal') == 'final' and 'no' or 'yes'
  end
  if order.onConflict ~= 'ask' then return 'no' end
  if order.askId then
    if not isOpen or ask.id ~= order.askId then return 'no' end
    if ask.state == 'refused' then return 'refused' end
    if ask.state == 'yes' or now >= ask.untilMs or order.isUnput then return 'yes' end
    return 'wait', ask.untilMs - now
  end
  if not holder.asks then return 'yes' end
  -- Somebody asks already, or was told no within the last minute.
  return isOpen and 'no' or 'asking'
end

-- Puts the question to the holder's node. Gives for how long the holder may think.
local function askHolder(holder)
  local waitMs = tonumber(redis.call('HGET', settingsKey, 'askWaitMs') or '15000')
  redis.call('SET', askKey, cjson.encode({
    id = order.sessionId, sessionId = holder.sessionId, nodeId = order.nodeId, connection = order.connection,
    machine = order.machine, atMs = now, untilMs = now + waitMs, state = 'open',
  }), 'PX', ASK_KEPT_MS)
  notify(holder, {
    type = 'asked', askId = order.sessionId, inMs = text(waitMs), askerNode = order.nodeId, asker = order.connection,
  }, order.machine)
  count('asked')
  note('session.asked', { actor = 'user', machine = order.machineId, sessionId = holder.sessionId })
  return waitMs
end

-- Whoever asks waits under the connection of this claim from now on: the answer goes there.
local function followAsker()
  local ask = readAsk()
  ask.connection, ask.nodeId = order.connection, order.nodeId
  redis.call('SET', askKey, cjson.encode(ask), 'KEEPTTL')
end

-- Whoever is answered `conflict` stays, and is told when the seat is free: the newest 8, for an hour.
local function addWaiter()
  redis.call('HSET', waitersKey, order.connection, text(now) .. ':' .. order.nodeId)
  redis.call('PEXPIRE', waitersKey, 3600000)
  if redis.call('HLEN', waitersKey) <= 8 then return end
  local waiting, oldest, since = redis.call('HGETALL', waitersKey), nil, math.huge
  for i = 1, #waiting, 2 do
    local at = tonumber(string.match(waiting[i + 1], '^%d+'))
    if at < since then oldest, since = waiting[i], at end
  end
  redis.call('HDEL', waitersKey, oldest)
end
