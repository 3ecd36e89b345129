-- index: what is kept of all orgs together, changed in the step that changes the org (promise 9). In a cluster each slot
-- has its own, so that a script reaches it. Stands before every script that changes what is summed or due.
--
-- due     org → when somebody must look at it next (Redis ms); only look.lua moves this later
-- totals  sums over all orgs: orgs, active, issued, quota, limited (orgs with a quota), peak, takeovers
-- shares  org → the share of its quota that is issued; an org without a quota is no member
--
-- The org's counters remember in summed:<name> how much of each total is this org's. So a total is always the sum of
-- these, and an org that version 0.1 wrote, or that was repaired, comes in by the difference: once, and never twice.

-- The script that uses this file sets it.
local org

-- A function, as most claims do without this list.
local function totalNames()
  return { 'orgs', 'active', 'issued', 'quota', 'limited', 'peak', 'takeovers' }
end

-- Somebody must look at the org at this time at the latest.
local function dueBy(at)
  redis.call('ZADD', dueKey, 'LT', text(at), org)
end

-- While sessions are active, the org is due each minute: time in use belongs to the hour it fell in.
local function nextMinute()
  return (math.floor(now / 60000) + 1) * 60000
end

-- What the org has of each total, by the keys that count it.
local function standing()
  local issued, peak, takeovers = unpack(redis.call('HMGET', countersKey, 'issued', 'peak', 'ended:taken_over'))
  local quota = redis.call('HGET', settingsKey, 'quota')
  return {
    orgs = 1, active = redis.call('ZCARD', activeKey), issued = tonumber(issued or '0'), peak = tonumber(peak or '0'),
    takeovers = tonumber(takeovers or '0'), quota = tonumber(quota or '0'), limited = quota and 1 or 0,
  }
end

local function setShare(issued, quota)
  redis.call('ZADD', sharesKey, string.format('%.17g', issued / quota), org)
end

-- Brings the totals up to date with the org, and gives what it has of each.
local function settle()
  local is, names, fields = standing(), totalNames(), {}
  for i, name in ipairs(names) do fields[i] = 'summed:' .. name end
  local was = redis.call('HMGET', countersKey, unpack(fields))
  for i, name in ipairs(names) do
    local more = is[name] - tonumber(was[i] or '0')
    if more ~= 0 then
      redis.call('HINCRBY', totalsKey, name, text(more))
      redis.call('HSET', countersKey, fields[i], text(is[name]))
    end
  end
  if is.quota > 0 then
    setShare(is.issued, is.quota)
  else
    redis.call('ZREM', sharesKey, org)
  end
  return is
end

-- For the first of a total of the org: it may be the first that is summed of the org at all.
local function settleFirst()
  if redis.call('HEXISTS', countersKey, 'summed:orgs') == 0 then settle() end
end

-- The short way, where one number has changed by so much. To be called after the change.
local function addTotal(name, more)
  redis.call('HINCRBY', totalsKey, name, text(more))
  if redis.call('HINCRBY', countersKey, 'summed:' .. name, text(more)) == more then settleFirst() end
end

-- So many more licenses are issued.
local function addIssued(more)
  local issued = redis.call('HINCRBY', countersKey, 'issued', more)
  addTotal('issued', more)
  local quota = tonumber(redis.call('HGET', settingsKey, 'quota') or '0')
  if quota > 0 then setShare(issued, quota) end
end
