-- ping(key_id): the publisher says that the topics of this normalised URL changed, however they are spelt. Where one of them names
-- another URL as its own, the topics of that one are fetched as well, and no further: so topics that name each other do not set
-- each other going for ever. Returns how many followed topics it moved.
--! clock worklist progress origin bucket allowance
local count = 0

-- Returns the keys of the other URLs that they name.
local function move(key)
  local topics, others = redis.call('SMEMBERS', P .. 'same:' .. key), {}
  topics[#topics + 1] = key
  for _, topic in ipairs(topics) do
    local t = redis.call('HMGET', topic_key(topic), 'url', 'self_key', 'allowance', 'allowance_at')
    if t[1] then
      redis.call('HSET', topic_key(topic), 'last_ping', NOW, 'recheck', 0, 'fetch_at', NOW)
      -- No sooner than it may be fetched, or each ping would have a worker look at it in vain.
      add(PINGED, topic, allowed_at(t[3], t[4]))
      count = count + 1
      if t[2] and t[2] ~= '' and t[2] ~= key then others[t[2]] = true end
    end
  end
  return others
end

for key in pairs(move(ARGV[1])) do move(key) end
return count
