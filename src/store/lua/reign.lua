-- reign: where an org's epochs come from (promise 8). Stands before every script that grants or confirms.
--
-- A reign is the time under one replication id of Redis. The id is new after every promotion, restart and restored
-- backup, and that is when grants may have been lost. So the first epoch of a reign lies above all that could have been
-- given before it: a day above the furthest clock that this node has seen, and far above every epoch that it has seen.
-- Within a reign epoch = max(stored + 1, TIME in µs, floor + 1).

-- The script that uses this file sets these: the highest epoch that the node has seen in the org, and the furthest Redis clock (µs) that it has seen anywhere.
local floor, viewUs = 0, 0

local LEAD_US = 86400000000
-- More grants than an org loses in one change of master, and more than others were given since this node has seen one.
local LOST_AT_MOST = 1000000
-- 2200-01-01: a later clock is wrong, and would use up the epochs that a double can hold.
local LATEST_US = 7258118400000000

local clockUs = nowUs < LATEST_US and nowUs or 0

-- The first 16 digits; '' where the service gives none, or forbids to ask. Then only a missing key begins a reign.
local function replicationId()
  local info = redis.pcall('INFO', 'replication')
  local id = type(info) == 'string' and string.match(info, 'master_replid:(%x+)') or ''
  return string.sub(id, 1, 16)
end

-- The id of the newest event that was ever in a stream, though it may have been trimmed since; 0-0 where there was none.
local function newestIn(stream)
  local info = redis.pcall('XINFO', 'STREAM', stream)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return info[i + 1] end
  end
  return '0-0'
end

-- Of both streams. Acts take their ids from the traffic, but somebody may have deleted that.
local function newestEvent()
  local traffic, act = newestIn(eventsKey), newestIn(actsKey)
  local trafficMs, actMs = tonumber(string.match(traffic, '^%d+')), tonumber(string.match(act, '^%d+'))
  return actMs > trafficMs and act or traffic
end

-- The reign under way: { last epoch given, first of the reign }, with `began` where it begins with this script.
local reign
local function readReign()
  if reign then return reign end
  local stored, named = unpack(redis.call('MGET', epochKey, reignKey))
  local last = tonumber(string.match(stored or '', '^%d+') or nil)
  local id, first = string.match(named or '', '^(%x*):(%d+)$')
  local here = replicationId()
  if last and id and (here == '' or here == id) then
    reign = { last = last, first = tonumber(first) }
    return reign
  end
  first = math.max(math.max(last or 0, floor) + LOST_AT_MOST, math.max(clockUs, viewUs) + LEAD_US)
  redis.call('SET', epochKey, text(first - 1))
  redis.call('SET', reignKey, here .. ':' .. text(first))
  local began = { was = text(last or 0), event = newestEvent(), first = text(first) }
  reign = { last = first - 1, first = first, began = began }
  return reign
end

-- A new epoch, above all given so far and above `above`.
local function nextEpoch(above)
  local current = readReign()
  current.last = math.max(current.last + 1, clockUs, floor + 1, (above or 0) + 1)
  redis.call('SET', epochKey, text(current.last))
  return current.last
end
