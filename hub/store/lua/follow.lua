-- follow(topic_id, id of the normalised topic, URL, trial): somebody reads a topic that need not be known yet; its first document is
-- fetched. On trial ('': not) a new one is kept for so many ms alone, unless somebody reads or subscribes.
-- Returns 1 where it is new, else 0.
--! clock worklist progress origin bucket
local topic, key, url, trial = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local is_new = make_topic(topic, key, url)
if is_new then
  redis.call('HSET', topic_key(topic), 'fetch_at', NOW)
  add(PINGED, topic, NOW)
end
if not trial then
  mark_read(topic)
elseif is_new then
  redis.call('ZADD', P .. 'read', math.min(NOW, NOW - L.interest + trial), topic)
end
return is_new and 1 or 0
