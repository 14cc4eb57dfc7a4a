-- leave(worker): takes back the heartbeat of a worker that stops.
redis.call('ZREM', P .. 'workers', ARGV[1])
return 1
