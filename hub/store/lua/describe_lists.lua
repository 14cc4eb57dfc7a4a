-- describe_lists(): {NOW, ms since a worker was last heard of (-1: never), topics, pending requests, bytes of all logs,
-- {name, members, due, claimed, ms since the longest due fell due} of each work list}.
--! clock worklist progress origin bucket
local last = redis.call('ZREVRANGEBYSCORE', P .. 'workers', NOW, '-inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
local lists = {}
for _, list in ipairs({ PINGED, UNVERIFIED, READY, ORIGINS, ENDING }) do
  local first = first_time(list)
  lists[#lists + 1] = { list.bell, redis.call('ZCARD', list.z), redis.call('ZCOUNT', list.z, '-inf', NOW),
    redis.call('HLEN', list.c), first and math.max(0, NOW - first) or 0 }
end
return { NOW, last and NOW - tonumber(last) or -1, redis.call('SCARD', P .. 'topics'),
  redis.call('ZCARD', P .. 'requests'), tonumber(redis.call('GET', P .. 'log_total') or 0), lists }
