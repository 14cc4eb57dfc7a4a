-- ping(key_id): the publisher says that the topics of this normalised URL changed, however they are spelt. Returns how many
-- followed topics it moved.
--! clock worklist progress bucket
local topics = redis.call('SMEMBERS', P .. 'same:' .. ARGV[1])
topics[#topics + 1] = ARGV[1]
local moved = 0
for _, topic in ipairs(topics) do
  if redis.call('EXISTS', topic_key(topic)) == 1 then
    redis.call('HSET', topic_key(topic), 'last_ping', NOW, 'recheck', 0, 'fetch_at', NOW)
    add(PINGED, topic, NOW)
    moved = moved + 1
  end
end
return moved
