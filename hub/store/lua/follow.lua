-- follow(topic_id, id of the normalised topic, URL): somebody reads a topic that need not be known yet; its first document is fetched.
-- Returns 1 where it is new, else 0.
--! clock worklist progress origin bucket
local topic, key, url = ARGV[1], ARGV[2], ARGV[3]
local is_new = make_topic(topic, key, url)
if is_new then
  redis.call('HSET', topic_key(topic), 'fetch_at', NOW)
  add(PINGED, topic, NOW)
end
mark_read(topic)
return is_new and 1 or 0
