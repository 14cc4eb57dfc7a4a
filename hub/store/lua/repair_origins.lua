-- repair_origins(cursor): gives each breaker its time in `origins` that has none, or one further ahead than it can be (invariant 9).
-- Returns {the next cursor, 0 at the end, how many things were missing}.
--! clock worklist progress origin
local found = redis.call('HSCAN', BREAKERS, ARGV[1], 'COUNT', L.repair_slice)
local missing = 0
for i = 1, #found[2], 2 do
  local b = breaker_at(found[2][i])
  local at = tonumber(redis.call('ZSCORE', ORIGINS.z, b.origin))
  local longest = L.release_interval
  if b.is_open then longest = math.max(L.probe_most, L.claim_lease, L.longest_flight) end
  if not at or at > NOW + longest + L.clock_slack then
    keep_breaker(b, NOW)
    missing = missing + 1
  end
end
return { found[1], missing }
