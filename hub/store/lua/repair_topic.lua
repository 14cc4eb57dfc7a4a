-- repair_topic(topic_id, from): compares what the records of a topic say with the work lists and adds what is missing (invariant 9),
-- L.repair_slice buckets at a time. Returns {the next `from` or 0 at the end, how many things were missing}.
--! clock worklist progress bucket
local topic, from = ARGV[1], tonumber(ARGV[2])
local t = redis.call('HMGET', topic_key(topic), 'url', 'last_ping', 'fetch_started', 'failures', 'fetched_at', 'head',
  'buckets', 'pending')
if not t[1] then redis.call('SREM', P .. 'topics', topic) return { 0, 0 } end
local missing = 0
local list = ready_list(topic)

local function mend_fetch()
  mend(PINGED, topic)
  if redis.call('ZSCORE', PINGED.z, topic) then return end
  local is_behind = tonumber(t[2] or 0) > tonumber(t[3] or 0) or not t[5] or t[4]
  if is_behind then add(PINGED, topic, NOW) missing = missing + 1 end
end

local function look_at_bucket(k)
  local head_ms, head_seq = parse_id(t[6])
  local flat = redis.call('HGETALL', progress_key(topic, k))
  local due, lease
  for i = 2, #flat, 2 do
    local p = read_progress(flat[i])
    local at
    if p.incarnation == 0 then at = is_in_flight(p) and p.flight_until or NOW else at = due_at(p, head_ms, head_seq) end
    if at and (not due or at < due) then due = at end
  end
  flat = redis.call('HVALS', roster_key(topic, k))
  for _, subscription in ipairs(flat) do
    local _, lease_end = struct.unpack('>BI8', subscription)
    if not lease or lease_end < lease then lease = lease_end end
  end
  return due, lease
end

local function mend_bucket(k)
  mend(list, k)
  local due, lease = look_at_bucket(k)
  local score = redis.call('ZSCORE', list.z, k)
  if due and not standing_claim(list, k) and (not score or tonumber(score) > due) then
    add(list, k, due)
    missing = missing + 1
  end
  local ending = redis.call('ZSCORE', ENDING.z, topic .. '.' .. k)
  if lease and (not ending or tonumber(ending) > math.max(lease, NOW + L.renewal_wait)) then
    redis.call('ZADD', ENDING.z, lease, topic .. '.' .. k)
    missing = missing + 1
  end
end

if from == 0 then mend_fetch() end
local last = tonumber(t[7] or 0)
local to = math.min(from + L.repair_slice, last)
for k = from + 1, to do
  if redis.call('ZSCORE', room_key(topic), k) then mend_bucket(tostring(k)) end
end
touch_ready(topic)
forget_if_unfollowed(topic)
return { to < last and to or 0, missing }
