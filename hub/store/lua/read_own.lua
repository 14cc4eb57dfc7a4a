-- read_own(topic_id): what the next document of an own topic is judged by. Returns {documents, {entry id, record, ...}}.
--! clock
local documents = redis.call('HGET', P .. 't:' .. ARGV[1], 'documents') or '0'
return { documents, redis.call('HGETALL', P .. 'seen:' .. ARGV[1]) }
