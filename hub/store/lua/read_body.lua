-- read_body(topic_id, after): the present whole document, the last event that it holds, and the first one after a cursor.
-- Returns {head, first or false, content_type, body}.
--! clock
local facts = redis.call('HMGET', P .. 't:' .. ARGV[1], 'head', 'content_type')
local first = redis.call('XRANGE', P .. 'log:' .. ARGV[1], '(' .. ARGV[2], '+', 'COUNT', 1)[1]
return { facts[1] or '0-0', first and first[1] or false, facts[2] or 'application/octet-stream', redis.call('GET', P .. 'body:' .. ARGV[1]) or '' }
