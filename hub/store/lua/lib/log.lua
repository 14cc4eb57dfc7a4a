-- The log of a topic: at most L.history_events events, L.history_bytes and L.history_age, and L.history_total_bytes in the
-- hub (invariant 7). Trims a slice of what is over; the caller says in the same step up to where.
-- Returns how many events and bytes are left, and the id of the last event that went, if any.
local function trim_slice(topic, length, bytes, total)
  local log, freed, last = P .. 'log:' .. topic, 0, nil
  for _ = 1, L.trim_slice do
    local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
    if not first then break end
    local is_over = length > L.history_events or bytes > L.history_bytes or parse_id(first[1]) < NOW - L.history_age
      or (total - freed > L.history_total_bytes and length > 1)
    if not is_over then break end
    redis.call('XDEL', log, first[1])
    length, bytes, freed, last = length - 1, bytes - #first[2][2], freed + #first[2][2], first[1]
  end
  if last then redis.call('DECRBY', P .. 'log_total', freed) end
  return length, bytes, last
end

local function trim(topic)
  local t = topic_key(topic)
  local f = redis.call('HMGET', t, 'log_length', 'log_bytes')
  local total = tonumber(redis.call('GET', P .. 'log_total') or 0)
  local length, bytes, last = trim_slice(topic, tonumber(f[1] or 0), tonumber(f[2] or 0), total)
  if last then redis.call('HSET', t, 'log_length', length, 'log_bytes', bytes, 'trimmed_to', last) end
end
