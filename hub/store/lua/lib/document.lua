-- What a new document of a topic writes: facts, seen entries, an event.
local function list(packed)
  local count, at = struct.unpack('>I4', packed)
  local items = {}
  for i = 1, count do items[i], at = struct.unpack('>I4c0', packed, at) end
  return items
end

local function in_slices(command, key, items)
  for from = 1, #items, L.slice do
    redis.call(command, key, unpack(items, from, math.min(from + L.slice - 1, #items)))
  end
end

-- facts and seen: alternating field and value; evicted: fields. Each packed.
local function write_records(topic, facts, seen, evicted)
  in_slices('HSET', topic_key(topic), list(facts))
  in_slices('HSET', P .. 'seen:' .. topic, list(seen))
  in_slices('HDEL', P .. 'seen:' .. topic, list(evicted))
end

-- Returns the event's id and the one before it. The topic's time in `ready` is the caller's to set.
local function write_event(topic, event)
  local t = topic_key(topic)
  local id = show_id(next_event_id())
  local before = redis.call('HGET', t, 'head') or '0-0'
  redis.call('XADD', P .. 'log:' .. topic, id, 'e', event)
  redis.call('HSET', t, 'head', id, 'sweep', 1)
  redis.call('HINCRBY', t, 'log_length', 1)
  redis.call('HINCRBY', t, 'log_bytes', #event)
  redis.call('INCRBY', P .. 'log_total', #event)
  trim(topic)
  sweep_step(topic)
  if is_read(topic) then redis.call('PUBLISH', P .. 'news', topic .. ' ' .. id) end
  return id, before
end
