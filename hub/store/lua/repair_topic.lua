-- repair_topic(topic_id, from): compares what the records of a topic say with the work lists and adds what is missing (invariant 9),
-- L.repair_slice buckets at a time, and trims what is over age. Returns {the next `from` or 0 at the end, how many things were missing}.
--! clock worklist progress origin bucket log
local topic, from = ARGV[1], tonumber(ARGV[2])
local t = redis.call('HMGET', topic_key(topic), 'url', 'last_ping', 'fetched_at', 'fetch_at', 'sweep', 'head', 'buckets')
if not t[1] then redis.call('SREM', P .. 'topics', topic) return { 0, 0 } end
local missing = 0
local list = ready_list(topic)

-- `fetch_at` says when the next fetch is wanted. Where the last ping or fetch lies in the future, the clock went back.
local function mend_fetch()
  missing = missing + mend(PINGED, topic)
  if not t[4] or standing_claim(PINGED, topic) then return end
  local at, score = tonumber(t[4]), tonumber(redis.call('ZSCORE', PINGED.z, topic))
  local is_early = math.max(tonumber(t[2] or 0), tonumber(t[3] or 0)) > NOW
  if is_early then
    redis.call('HSET', topic_key(topic), 'last_ping', NOW)
    at = NOW
  end
  if score and (not is_early or score <= NOW) then return end
  add(PINGED, topic, at)
  missing = missing + 1
end

-- What the buckets say, and `ready` does not.
local function count_index()
  local at, place = topic_time(topic), tonumber(redis.call('ZSCORE', READY.z, topic))
  if at and (not place or place > math.max(at, NOW)) then missing = missing + 1 end
end

local function look_at_bucket(k)
  local head_ms, head_seq = parse_id(t[6])
  local flat = redis.call('HGETALL', progress_key(topic, k))
  local due, lease, held = nil, nil, {}
  for i = 1, #flat, 2 do
    local p = read_progress(flat[i + 1])
    local at, b
    if p.incarnation == 0 then at = is_in_flight(p) and p.flight_until or NOW else at = due_at(p, head_ms, head_seq) end
    if at and p.incarnation ~= 0 and has_breakers() then b = breaker_of(redis.call('HGET', roster_key(topic, k), flat[i])) end
    if b and (b.is_open or is_waiting(b, topic, k)) then
      held[b.origin] = math.min(held[b.origin] or at, at)
    elseif at and (not due or at < due) then
      due = at
    end
  end
  flat = redis.call('HVALS', roster_key(topic, k))
  for _, subscription in ipairs(flat) do
    local _, lease_end = struct.unpack('>BI8', subscription)
    if not lease or lease_end < lease then lease = lease_end end
  end
  return due, lease, held
end

local function mend_bucket(k)
  missing = missing + mend(list, k)
  local due, lease, held = look_at_bucket(k)
  local score = redis.call('ZSCORE', list.z, k)
  local is_swept = not t[5] or tonumber(k) < tonumber(t[5])
  local function is_late(at)
    return is_swept and not standing_claim(list, k) and (not score or tonumber(score) > math.max(at, NOW))
  end
  if due and is_late(due) then
    add(list, k, due)
    missing = missing + 1
  end
  for origin, at in pairs(held) do
    if is_late(at) then missing = missing + hold(breaker_at(origin), topic, k) end
  end
  local ending = redis.call('ZSCORE', ENDING.z, topic .. '.' .. k)
  if lease and (not ending or tonumber(ending) > math.max(lease, NOW + L.renewal_wait)) then
    redis.call('ZADD', ENDING.z, lease, topic .. '.' .. k)
    missing = missing + 1
  end
end

if from == 0 then
  mend_fetch()
  count_index()
  trim(topic)
end
local last = tonumber(t[7] or 0)
local to = math.min(from + L.repair_slice, last)
for k = from + 1, to do
  if redis.call('ZSCORE', room_key(topic), k) then mend_bucket(tostring(k)) end
end
touch_ready(topic)
forget_if_unfollowed(topic)
return { to < last and to or 0, missing }
