-- Stands before the scripts that say when it is to be told that a license ends soon.

-- When to tell next that a license with this end ends soon; nil where no such time is left.
local DAY_MS = 86400000
local function nextReminder(expiresAt)
  for _, days in ipairs({ 30, 7, 1 }) do
    local at = expiresAt - days * DAY_MS
    if at > now then return at end
  end
end
