-- What a new document of a topic writes: seen entries, an event, and fields of the topic's record.
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

-- seen: alternating field and value; evicted: fields. Each packed.
local function write_seen(topic, seen, evicted)
  in_slices('HSET', P .. 'seen:' .. topic, list(seen))
  in_slices('HDEL', P .. 'seen:' .. topic, list(evicted))
end

-- Adds names and values to what is to be written in one go.
local function put(fields, ...)
  for _, part in ipairs({ ... }) do fields[#fields + 1] = part end
end

-- Returns the event's id and the one before it. What it changes of the topic's record is added to `fields`, and is the caller's to
-- write; so is the topic's time in `ready`.
local function write_event(topic, event, fields)
  local f = redis.call('HMGET', topic_key(topic), 'head', 'log_length', 'log_bytes')
  local id = show_id(next_event_id())
  redis.call('XADD', P .. 'log:' .. topic, id, 'e', event)
  local total = redis.call('INCRBY', P .. 'log_total', #event)
  local length, bytes, last = trim_slice(topic, tonumber(f[2] or 0) + 1, tonumber(f[3] or 0) + #event, total)
  put(fields, 'head', id, 'log_length', length, 'log_bytes', bytes)
  if last then put(fields, 'trimmed_to', last) end
  if is_read(topic) then redis.call('PUBLISH', P .. 'news', topic .. ' ' .. id) end
  return id, f[1] or '0-0'
end

-- Adds all buckets of the topic, whose fields are written.
local function wake_buckets(topic)
  redis.call('HSET', topic_key(topic), 'sweep', 1)
  sweep_step(topic)
end
