-- settle_late(topic_id, bucket, outcomes): the ends of requests that were left in flight, each written only where its attempt still
-- stands (fine print 9). Returns how many were.
--! clock worklist progress bucket outcome
local topic, k = ARGV[1], ARGV[2]
local progress = progress_key(topic, k)
local written, at, wake_at = 0, 1, nil
go_on_when_full(READY)
local is_claimed = standing_claim(ready_list(topic), k) ~= nil
local head_ms, head_seq = parse_id(redis.call('HGET', topic_key(topic), 'head'))

local function write(o, p)
  if apply_outcome(o, p) then return end_subscription(topic, k, o.sid, p, is_claimed) end
  if p.incarnation == 0 and not is_claimed then return purge_slot(topic, k, o.sid) end
  redis.call('HSET', progress, o.sid, show_progress(p))
  local due = p.incarnation ~= 0 and due_at(p, head_ms, head_seq)
  if due and (not wake_at or due < wake_at) then wake_at = due end
end

while at <= #ARGV[3] do
  local o
  o, at = read_outcome(ARGV[3], at)
  local raw = redis.call('HGET', progress, o.sid)
  local p = raw and read_progress(raw)
  if p and p.attempt == o.attempt then
    write(o, p)
    written = written + 1
  end
end
if wake_at then add_bucket(topic, k, wake_at) end
forget_if_unfollowed(topic)
return written
