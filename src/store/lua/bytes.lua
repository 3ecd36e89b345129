-- Stands before the scripts that look for a place in a sorted set.

-- Compares bytes, as Redis does: the `<` of Lua compares by the locale of the server.
local function isBefore(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end
