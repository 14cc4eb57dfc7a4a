-- Buckets: up to L.bucket_size subscriptions of one topic, their roster, progress and times.
local ENDING, READY = list_of('ending'), list_of('ready', L.longest_wait)
local PINGED, UNVERIFIED = list_of('pinged', L.longest_fetch_wait), list_of('unverified', L.longest_verify_wait)

local function topic_key(topic) return P .. 't:' .. topic end
local function roster_key(topic, k) return P .. 'roster:' .. topic .. '.' .. k end
local function progress_key(topic, k) return P .. 'progress:' .. topic .. '.' .. k end
local function room_key(topic) return P .. 'buckets:' .. topic end
local function pair_key(sid) return P .. 'pair:' .. sid end
local function index_key(sid)
  local first, second = string.byte(sid, 1, 2)
  return P .. string.format('index:%03x', first * 16 + math.floor(second / 16))
end
local function ready_list(topic)
  return { z = P .. 'ready:' .. topic, c = P .. 'ready:' .. topic .. ':claims', longest_wait = L.longest_wait }
end

-- When a topic has something due: at once while a sweep goes on, else at the least of its buckets' times; nil: never.
local function topic_time(topic)
  if redis.call('HEXISTS', topic_key(topic), 'sweep') == 1 then return NOW end
  return first_time(ready_list(topic))
end

-- A topic's time in `ready` is an index over its buckets' times (fine print 8). What is due keeps its place among the
-- topics, and goes to the end after a claim: else each settle would put a large topic back in front of the small ones.
local function touch_ready(topic, is_after_claim)
  local at = topic_time(topic)
  if not at then return redis.call('ZREM', READY.z, topic) end
  if at <= NOW then
    local place = not is_after_claim and redis.call('ZSCORE', READY.z, topic)
    at = place and math.min(tonumber(place), NOW) or NOW
  end
  set_time(READY, topic, at)
end

local function add_bucket(topic, k, at)
  add(ready_list(topic), k, at)
  touch_ready(topic)
end

-- Makes the record of a topic, where there is none. Its history starts here: who comes with an older cursor is told.
local function make_topic(topic, key, url)
  if redis.call('HEXISTS', topic_key(topic), 'url') == 1 then return false end
  redis.call('HSET', topic_key(topic), 'url', url, 'key', key, 'begun', show_id(next_event_id()))
  redis.call('SADD', P .. 'topics', topic)
  if key ~= topic then redis.call('SADD', P .. 'same:' .. key, topic) end
  return true
end

local function history_start(trimmed_to, begun)
  local ms, seq = parse_id(begun)
  if trimmed_to and is_before(ms, seq, parse_id(trimmed_to)) then return trimmed_to end
  return begun or '0-0'
end

-- A topic is kept for those who read its events without a subscription, for L.interest after they last did. A time in the future
-- was written before the clock went back.
local function is_read(topic)
  local at = tonumber(redis.call('ZSCORE', P .. 'read', topic))
  return at ~= nil and at > NOW - L.interest and at <= NOW + L.clock_slack
end

local function mark_read(topic)
  local at = tonumber(redis.call('ZSCORE', P .. 'read', topic))
  if at and at > NOW - L.interest / 10 and at <= NOW then return end
  if redis.call('EXISTS', topic_key(topic)) == 1 then redis.call('ZADD', P .. 'read', NOW, topic) end
end

-- Adds the next slice of a topic's buckets after an append; where more are left, the topic stays due and the
-- claims go on with it, so that a kill between slices loses nothing.
local function sweep_step(topic)
  local from = tonumber(redis.call('HGET', topic_key(topic), 'sweep'))
  if not from then return end
  local last = tonumber(redis.call('HGET', topic_key(topic), 'buckets') or 0)
  local to = math.min(from + L.sweep_slice - 1, last)
  local list, is_held_up = ready_list(topic), false
  for k = from, to do
    if redis.call('ZSCORE', room_key(topic), k) then is_held_up = add(list, tostring(k), NOW) or is_held_up end
  end
  -- Who waits for slow answers is told that the others of the bucket have something newer to get.
  if is_held_up then ring(READY.bell .. ' ' .. topic) end
  if to >= last then
    redis.call('HDEL', topic_key(topic), 'sweep')
  else
    redis.call('HSET', topic_key(topic), 'sweep', to + 1)
  end
end

-- Removes a slot; its bucket must be unclaimed, or about to be (fine print 5).
local function purge_slot(topic, k, sid)
  redis.call('HDEL', progress_key(topic, k), sid)
  redis.call('HDEL', index_key(sid), sid)
  if tonumber(redis.call('ZINCRBY', room_key(topic), -1, k)) > 0 then return end
  redis.call('ZREM', room_key(topic), k)
  remove(ready_list(topic), k)
  remove(ENDING, topic .. '.' .. k)
  -- The last number is given back, so that a subscription that comes and goes does not raise it for ever.
  if redis.call('HGET', topic_key(topic), 'buckets') == tostring(k) then redis.call('HINCRBY', topic_key(topic), 'buckets', -1) end
  if redis.call('EXISTS', room_key(topic)) == 0 then redis.call('HDEL', topic_key(topic), 'buckets') end
end

-- Ends an active subscription. The slot stays while its bucket is claimed or a request is in flight.
local function end_subscription(topic, k, sid, p, is_bucket_claimed)
  redis.call('HDEL', roster_key(topic, k), sid)
  redis.call('HINCRBY', topic_key(topic), 'subscriptions', -1)
  if not is_bucket_claimed and not is_in_flight(p) then return purge_slot(topic, k, sid) end
  p.incarnation = 0
  redis.call('HSET', progress_key(topic, k), sid, show_progress(p))
  if not is_bucket_claimed then add_bucket(topic, k, p.flight_until) end
end

-- Fine print 4: a lease does not end while a renewal accepted before its end is pending.
local function has_lease_ended(sid, subscription)
  local _, lease_end = struct.unpack('>BI8', subscription)
  if lease_end > NOW then return false, lease_end end
  local pending = redis.call('HGETALL', pair_key(sid))
  for i = 1, #pending, 2 do
    local accepted_at = string.match(pending[i + 1], '^subscribe:(%d+)$')
    if accepted_at and tonumber(accepted_at) <= lease_end then return false, lease_end end
  end
  return true, lease_end
end

-- What is left of a topic that nobody follows any more is deleted.
local function forget_if_unfollowed(topic)
  local t = redis.call('HMGET', topic_key(topic), 'subscriptions', 'pending', 'key', 'log_bytes')
  if tonumber(t[1] or 0) > 0 or tonumber(t[2] or 0) > 0 then return end
  if redis.call('EXISTS', room_key(topic)) == 1 or is_read(topic) then return end
  if t[3] and t[3] ~= topic then redis.call('SREM', P .. 'same:' .. t[3], topic) end
  redis.call('DECRBY', P .. 'log_total', t[4] or 0)
  remove(PINGED, topic)
  redis.call('ZREM', READY.z, topic)
  redis.call('SREM', P .. 'topics', topic)
  redis.call('ZREM', P .. 'read', topic)
  redis.call('UNLINK', topic_key(topic), P .. 'log:' .. topic, P .. 'body:' .. topic, P .. 'seen:' .. topic,
    P .. 'ready:' .. topic, P .. 'ready:' .. topic .. ':claims')
end

-- Claims a bucket and returns its due members, each with its subscription and progress; where nobody is due, or all are held,
-- it gets the time at which somebody will be, and false comes back.
local TOPIC_FACTS = { 'url', 'head', 'hubs', 'self', 'format' }

local function look_at_slot(topic, k, sid, progress, subscription_of, head)
  local p = read_progress(progress)
  local subscription = subscription_of(sid)
  if p.incarnation == 0 then
    if not is_in_flight(p) then purge_slot(topic, k, sid) return nil end
    return p, p.flight_until
  end
  if has_lease_ended(sid, subscription) then
    end_subscription(topic, k, sid, p, false)
    return p, is_in_flight(p) and p.flight_until or nil
  end
  return p, turn_at(topic, k, sid, p, head, subscription_of), subscription
end

-- Writes what has changed, subscription and progress alternating; in one call, as each walks through the whole of a small hash.
local function write_progress(topic, k, changed)
  for from = 1, #changed, L.slice do
    redis.call('HSET', progress_key(topic, k), unpack(changed, from, math.min(from + L.slice - 1, #changed)))
  end
end

-- What a claim hands out of one member, whose flight counts as ended.
local function hand_out(members, changed, sid, p, subscription, progress)
  if p.flight_until ~= 0 then
    p.flight_until, p.attempt = 0, 0
    progress = show_progress(p)
    changed[#changed + 1] = sid
    changed[#changed + 1] = progress
  end
  members[#members + 1] = sid
  members[#members + 1] = subscription
  members[#members + 1] = progress
end

-- Where `breaker` is given it looks for a probe: one of those whom it holds is handed out with the others.
local function claim_bucket(topic, k, randomness, breaker)
  local list = ready_list(topic)
  redis.call('HDEL', list.c, k)
  local facts = redis.call('HMGET', topic_key(topic), unpack(TOPIC_FACTS))
  local head = {}
  head.ms, head.seq = parse_id(facts[2])
  local flat = redis.call('HGETALL', roster_key(topic, k))
  local roster = {}
  for i = 1, #flat, 2 do roster[flat[i]] = flat[i + 1] end
  local function subscription_of(sid) return roster[sid] end
  local members, changed, next_at = {}, {}, nil
  local all = redis.call('HGETALL', progress_key(topic, k))
  for i = 1, #all, 2 do
    local p, at, subscription = look_at_slot(topic, k, all[i], all[i + 1], subscription_of, head)
    if p and subscription and at and at <= NOW then
      hand_out(members, changed, all[i], p, subscription, all[i + 1])
    elseif at and (not next_at or at < next_at) then
      next_at = at
    end
  end
  local probe = breaker and #breaker.candidates > 0 and choose_probe(breaker.candidates, number())
  if probe then hand_out(members, changed, probe.sid, probe.p, probe.subscription, show_progress(probe.p)) end
  write_progress(topic, k, changed)
  if #members == 0 then
    if next_at then redis.call('ZADD', list.z, next_at, k) else redis.call('ZREM', list.z, k) end
    return false
  end
  local token = token_of(randomness)
  claim_member(list, k, token)
  if probe then breaker.probe = attempt_of(token) end
  return { topic, k, token, facts, members, probe and breaker.origin or '', probe and probe.sid or '' }
end
