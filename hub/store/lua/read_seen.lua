-- read_seen(topic_id): what is known of a feed's entries: entry id and record, flat.
return redis.call('HGETALL', P .. 'seen:' .. ARGV[1])
