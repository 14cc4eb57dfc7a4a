-- read_body(topic_id): the present whole document and the last event that it holds.
-- Returns {head, content_type, body}.
--! clock
local facts = redis.call('HMGET', P .. 't:' .. ARGV[1], 'head', 'content_type')
return { facts[1] or '0-0', facts[2] or 'application/octet-stream', redis.call('GET', P .. 'body:' .. ARGV[1]) or '' }
