-- list_topics(cursor, count): a slice of all topic ids, as SSCAN gives it.
return redis.call('SSCAN', P .. 'topics', ARGV[1], 'COUNT', ARGV[2])
