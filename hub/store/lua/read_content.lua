-- read_content(topic_id): the content of an own topic as it was last published. Who reads is interested: it is kept.
-- Returns {content type, body}, or false where there is none.
--! clock worklist progress origin bucket
local topic = ARGV[1]
local body = redis.call('GET', P .. 'body:' .. topic)
if not body then return false end
-- Before all else, since reading must go on where memory is full.
redis.call('ZREM', P .. 'read', '')
mark_read(topic)
return { redis.call('HGET', topic_key(topic), 'content_type') or '', body }
