-- settle_bucket(topic_id, bucket, token, outcomes, probed origin, probing subscription): writes what became of a claimed bucket's
-- requests, works out its next time from the progress as it then stands, and gives it back. Who has no outcome was not tried and stays due.
-- Whom an open breaker holds waits for its origin; the origin and the subscription that probed for it are '' where nobody did.
-- Returns {1, or 0 where the claim has lapsed, {{origin, cause or 0, error}, ...} of each breaker that opened or closed}.
--! clock worklist progress origin bucket outcome
turned = {}
local topic, k, token = ARGV[1], ARGV[2], ARGV[3]
local list = ready_list(topic)
local claim = claim_held(list, k, token)
if not claim then return { 0, turned } end
-- First of all, so that it goes on when memory is full: what was sent must be written down, or it is sent again and again.
redis.call('HDEL', list.c, k)
local progress = progress_key(topic, k)
local all = redis.call('HGETALL', progress)
local by_sid = {}
for i = 1, #all, 2 do by_sid[all[i]] = read_progress(all[i + 1]) end

-- The whole roster, where somebody's origin is asked for at all: then it likely is asked for that of many.
local attempt, roster = attempt_of(token), nil
local function subscription_of(sid)
  if not roster then
    roster = {}
    local flat = redis.call('HGETALL', roster_key(topic, k))
    for i = 1, #flat, 2 do roster[flat[i]] = flat[i + 1] end
  end
  return roster[sid]
end

local function probed()
  local b = ARGV[5] ~= '' and breaker_at(ARGV[5])
  return b and b.is_open and b.probe == attempt and b
end

-- What an outcome says about its origin.
local is_probe_over = not probed()
local function judge_origin(o)
  if o.sid == ARGV[6] and o.kind ~= NO_TURN and probed() then
    is_probe_over = true
    end_probe(probed(), o)
  elseif o.blamed and o.blamed ~= 0 and subscription_of(o.sid) then
    open_breaker(origin_of(subscription_of(o.sid)), o)
  end
end

local changed, at = {}, 1
while at <= #ARGV[4] do
  local o
  o, at = read_outcome(ARGV[4], at)
  local p = by_sid[o.sid]
  if p then
    judge_origin(o)
    if apply_outcome(o, p) then
      end_subscription(topic, k, o.sid, p, true)
    else
      changed[#changed + 1] = o.sid
      changed[#changed + 1] = show_progress(p)
    end
  end
end
write_progress(topic, k, changed)

-- It was not sent after all: the next one is sent soon.
if not is_probe_over then next_probe(probed(), NOW + L.rest) end

local head = {}
head.ms, head.seq = parse_id(redis.call('HGET', topic_key(topic), 'head'))
local next_at, ended = nil, {}
for sid, p in pairs(by_sid) do
  local due
  if p.incarnation ~= 0 then
    due = turn_at(topic, k, sid, p, head, subscription_of)
  elseif is_in_flight(p) then
    due = p.flight_until
  else
    ended[#ended + 1] = sid
  end
  if due and (not next_at or due < next_at) then next_at = due end
end
settle(list, k, claim, next_at)
for _, sid in ipairs(ended) do purge_slot(topic, k, sid) end
touch_ready(topic)
forget_if_unfollowed(topic)
return { 1, turned }
