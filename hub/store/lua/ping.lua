-- ping(topic_id, key_id): the publisher says that this topic changed. Returns how many followed topics it moved.
--! clock worklist progress bucket
local topics = redis.call('SMEMBERS', P .. 'same:' .. ARGV[2])
topics[#topics + 1] = ARGV[2]
if ARGV[1] ~= ARGV[2] then topics[#topics + 1] = ARGV[1] end
local moved, done = 0, {}
for _, topic in ipairs(topics) do
  if not done[topic] and redis.call('EXISTS', topic_key(topic)) == 1 then
    done[topic] = true
    redis.call('HSET', topic_key(topic), 'last_ping', NOW, 'recheck', 0, 'fetch_at', NOW)
    add(PINGED, topic, NOW)
    moved = moved + 1
  end
end
return moved
