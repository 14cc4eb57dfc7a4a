-- describe_origins(limit): the breakers, those first that are looked at next.
-- Returns {how many are open, {{origin, 1 where it is open, ms since it opened or closed, ms until the next look, buckets that wait}, ...}}.
--! clock worklist progress origin
local count, shown = 0, {}
for _, text in ipairs(redis.call('HVALS', BREAKERS)) do
  if string.sub(text, 1, 4) == 'open' then count = count + 1 end
end
for _, origin in ipairs(redis.call('ZRANGE', ORIGINS.z, 0, ARGV[1] - 1)) do
  local b = has_breakers() and breaker_at(origin)
  if b then
    local at = tonumber(redis.call('ZSCORE', ORIGINS.z, origin))
    shown[#shown + 1] = { origin, b.is_open and 1 or 0, math.max(0, NOW - b.since), math.max(0, at - NOW),
      redis.call('ZCARD', waits_key(origin)) }
  end
end
return { count, shown }
