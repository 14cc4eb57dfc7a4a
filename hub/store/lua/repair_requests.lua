-- repair_requests(after, limit): adds pending requests with a number above `after` that are missing in `unverified`, and
-- forgets entries with no request. Returns {the next `after` or -1 at the end, how many were missing}.
--! clock worklist progress origin bucket
local after, limit = ARGV[1], tonumber(ARGV[2])
local numbers = redis.call('ZRANGEBYSCORE', P .. 'requests', '(' .. after, '+inf', 'LIMIT', 0, limit)
local missing = 0
for _, n in ipairs(numbers) do
  if redis.call('EXISTS', P .. 'request:' .. n) == 0 then
    redis.call('ZREM', P .. 'requests', n)
  else
    missing = missing + mend(UNVERIFIED, n)
    if not redis.call('ZSCORE', UNVERIFIED.z, n) then
      add(UNVERIFIED, n, NOW)
      missing = missing + 1
    end
  end
end
return { #numbers == limit and tonumber(numbers[limit]) or -1, missing }
