-- heartbeat(worker): says that a worker is alive, for readiness. Returns how many are.
--! clock
redis.call('ZADD', P .. 'workers', NOW, ARGV[1])
redis.call('ZREMRANGEBYSCORE', P .. 'workers', '-inf', NOW - L.heartbeat_kept)
return redis.call('ZCOUNT', P .. 'workers', NOW - L.worker_silent, NOW)
