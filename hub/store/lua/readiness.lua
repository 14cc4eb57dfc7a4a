-- readiness(): makes a write, and returns how many ms ago a worker was last heard of (-1: never).
--! clock
redis.call('SET', P .. 'readiness', NOW)
local last = redis.call('ZREVRANGE', P .. 'workers', 0, 0, 'WITHSCORES')[2]
return last and math.max(0, NOW - tonumber(last)) or -1
