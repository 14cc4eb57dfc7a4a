-- heartbeat(worker): says that a worker is alive, for readiness.
--! clock
redis.call('ZADD', P .. 'workers', NOW, ARGV[1])
redis.call('ZREMRANGEBYSCORE', P .. 'workers', '-inf', NOW - L.heartbeat_kept)
return 1
