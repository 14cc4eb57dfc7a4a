-- Ids and numbers.
local function number() return redis.call('INCR', P .. 'count') end

-- A token is a number of the hub's own and the worker's randomness: neither a restarted counter nor a
-- cloned worker makes two that are equal.
local function token_of(randomness) return string.format('%.0f.%s', number(), randomness) end

-- The number of a claim, by which its requests are known.
local function attempt_of(token) return tonumber(string.match(token, '^%d+')) end

local function parse_id(id)
  if not id then return 0, 0 end
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(seq)
end

local function show_id(ms, seq) return string.format('%.0f-%.0f', ms, seq) end

local function is_before(ms, seq, other_ms, other_seq)
  return ms < other_ms or (ms == other_ms and seq < other_seq)
end

-- One sequence for the whole hub: it never goes back, even where the clock does.
local function next_event_id()
  local ms, seq = parse_id(redis.call('GET', P .. 'clock'))
  if NOW > ms then ms, seq = NOW, 0 else seq = seq + 1 end
  redis.call('SET', P .. 'clock', show_id(ms, seq))
  return ms, seq
end
