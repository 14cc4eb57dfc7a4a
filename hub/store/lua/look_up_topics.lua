-- look_up_topics(topic_id, ...): what readers of events are told of these topics, as of one instant.
-- Returns {now, the newest event id of the hub, {{url, hubs, content_type, where its history starts, failed fetches in a row} or false, ...}}.
--! clock worklist progress origin bucket
local found = {}
for i, topic in ipairs(ARGV) do
  local f = redis.call('HMGET', topic_key(topic), 'url', 'hubs', 'content_type', 'trimmed_to', 'begun', 'failures')
  found[i] = f[1] and { f[1], f[2] or '', f[3] or '', history_start(f[4], f[5]), f[6] or '0' }
end
return { NOW, redis.call('GET', P .. 'clock') or '0-0', found }
