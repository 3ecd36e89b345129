-- Stands before every script. Times are Redis TIME in ms; epochs and times leave as text,
-- since Lua would print large numbers with an exponent.

local function nowMs()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function text(number)
  return string.format('%.0f', number)
end

-- Promise 8: epoch = max(stored + 1, TIME, floor + 1), so that not even FLUSHALL reuses one. TIME in microseconds:
-- a rush of claims would outrun milliseconds, and who comes after a FLUSHALL would get an epoch given before.
local function nextEpoch(epochKey, floor)
  local time = redis.call('TIME')
  local epoch = math.max(tonumber(redis.call('GET', epochKey) or '0') + 1, time[1] * 1000000 + time[2], floor + 1)
  redis.call('SET', epochKey, text(epoch))
  return epoch
end

-- The fence "<epoch>:<reason>": no lease below this epoch may come back for the user, for this reason.
-- It outlives the lease by a day.
local FENCE_MS = 86400000
local function raiseFence(fenceKey, epoch, reason)
  redis.call('SET', fenceKey, text(epoch) .. ':' .. reason, 'PX', FENCE_MS)
end

local function readFence(fenceKey)
  local epoch, reason = string.match(redis.call('GET', fenceKey) or '0:', '^(%d+):(.*)$')
  return tonumber(epoch), reason
end

-- A lease is "<sessionId>:<epoch>:<nodeId>:<since>:<machine as JSON>".
local function leaseValue(sessionId, epoch, nodeId, since, machine)
  return table.concat({ sessionId, text(epoch), nodeId, text(since), machine }, ':')
end

local function readLease(value)
  local sessionId, epoch, nodeId, since, machine = string.match(value, '^([^:]+):(%d+):([^:]+):(%d+):(.*)$')
  return {
    sessionId = sessionId, epoch = tonumber(epoch), nodeId = nodeId,
    since = tonumber(since), machine = cjson.decode(machine),
  }
end

local function appendEvent(eventsKey, kept, now, fields)
  local flat = { 'at', text(now) }
  for name, value in pairs(fields) do
    flat[#flat + 1] = name
    flat[#flat + 1] = value
  end
  redis.call('XADD', eventsKey, 'MAXLEN', '~', kept, '*', unpack(flat))
end

-- Promise 4: one message to the one node that serves the loser.
local function notify(channelPrefix, holder, notice)
  notice.type = 'ended'
  notice.sessionId = holder.sessionId
  notice.epoch = text(holder.epoch)
  redis.call('PUBLISH', channelPrefix .. holder.nodeId, cjson.encode(notice))
end
