-- settle_late(topic_id, bucket, outcomes): the ends of requests that were left in flight, each written only where its attempt still
-- stands (fine print 9). Returns {how many were, {{origin, cause or 0, error}, ...} of each breaker that opened or closed}.
--! clock worklist progress origin bucket outcome
turned = {}
local topic, k = ARGV[1], ARGV[2]
local progress = progress_key(topic, k)
local written, at, wake_at = 0, 1, nil
go_on_when_full(READY)
local is_claimed = standing_claim(ready_list(topic), k) ~= nil
local head = {}
head.ms, head.seq = parse_id(redis.call('HGET', topic_key(topic), 'head'))

local function judge_origin(o, subscription)
  local b = breaker_of(subscription)
  if b and b.is_open and b.probe == o.attempt then
    end_probe(b, o)
  elseif o.kind == FAILED and o.blamed ~= 0 then
    open_breaker(origin_of(subscription), o)
  elseif o.kind ~= FAILED and b and b.is_open and b.cause ~= UNREACHABLE then
    -- It was slow and no worse: what was held when all that was under way was silent goes on.
    close_breaker(b)
  end
end

local function write(o, p)
  local subscription = redis.call('HGET', roster_key(topic, k), o.sid)
  if subscription then judge_origin(o, subscription) end
  if apply_outcome(o, p) then return end_subscription(topic, k, o.sid, p, is_claimed) end
  if p.incarnation == 0 and not is_claimed then return purge_slot(topic, k, o.sid) end
  redis.call('HSET', progress, o.sid, show_progress(p))
  local due = p.incarnation ~= 0 and turn_at(topic, k, o.sid, p, head, function() return subscription end)
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
return { written, turned }
