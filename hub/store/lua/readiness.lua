-- readiness(): makes a write, and returns how many ms ago a worker was last heard of (-1: never).
--! clock
redis.call('SET', P .. 'readiness', NOW)
-- A heartbeat in the future was written before the clock went back: its worker may be dead by now.
local last = redis.call('ZREVRANGEBYSCORE', P .. 'workers', NOW, '-inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
return last and NOW - tonumber(last) or -1
