-- repair_requests(from, limit): adds pending requests that are missing in `unverified`, and forgets entries with no
-- request. Returns {the next `from` or -1 at the end, how many were missing}.
--! clock worklist progress bucket
local from, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local numbers = redis.call('ZRANGE', P .. 'requests', from, from + limit - 1)
local missing, gone = 0, 0
for _, n in ipairs(numbers) do
  if redis.call('EXISTS', P .. 'request:' .. n) == 0 then
    redis.call('ZREM', P .. 'requests', n)
    gone = gone + 1
  else
    mend(UNVERIFIED, n)
    if not redis.call('ZSCORE', UNVERIFIED.z, n) then
      add(UNVERIFIED, n, NOW)
      missing = missing + 1
    end
  end
end
return { #numbers == limit and from + limit - gone or -1, missing }
