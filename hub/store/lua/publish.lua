-- publish(topic_id, id of the normalised topic, URL, documents, facts, event, body, seen, evicted): content of a topic of the hub's own, which
-- nobody fetches. documents: how many there were when this one was judged. The rest as in append; the event is '' where nothing is news.
-- Returns {1, event id or false}, or {0, false} where another document has come in between, and nothing was written.
--! clock worklist progress origin bucket log document
local topic, key, url = ARGV[1], ARGV[2], ARGV[3]
local t = topic_key(topic)
if (redis.call('HGET', t, 'documents') or '0') ~= ARGV[4] then return { 0, false } end
make_topic(topic, key, url)
-- Before the event, so that it is published to whoever begins to read while it is written.
mark_read(topic)
local fields = list(ARGV[5])
put(fields, 'documents', ARGV[4] + 1, 'has_baseline', 1, 'fetched_at', NOW)
local id = ARGV[6] ~= '' and write_event(topic, ARGV[6], fields)
redis.call('HSET', t, unpack(fields))
write_seen(topic, ARGV[8], ARGV[9])
redis.call('HDEL', t, 'failures', 'refused')
redis.call('SET', P .. 'body:' .. topic, ARGV[7])
if not id then return { 1, false } end
wake_buckets(topic)
touch_ready(topic)
return { 1, id }
