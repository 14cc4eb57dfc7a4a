-- A topic's fetches: L.fetch_burst at once, and one more each L.fetch_interval (design section 6).

-- When the next one is allowed, given what was left as of some time. A time in the future was written before the clock went back.
local function allowed_at(left, at)
  if not at or tonumber(at) > NOW then return NOW end
  return math.max(NOW, tonumber(at) + math.ceil((1 - tonumber(left)) * L.fetch_interval))
end
