-- take_turn(name, ms): 1 for the one worker in each `ms` that does what all could do.
return redis.call('SET', P .. 'turn:' .. ARGV[1], 1, 'NX', 'PX', ARGV[2]) and 1 or 0
