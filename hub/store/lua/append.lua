-- append(topic_id, token, outcome, facts, event, body, seen, evicted, delays, deliver_randomness): settles a fetch; nothing of a fetch is
-- written otherwise. outcome is 'news' (with an event), 'same', 'failed' or 'released'. facts: alternating field and value for the topic record; event: a
-- packed event ('' for none); body: the newest body ('' keeps the old one); seen: alternating entry id and record, evicted: entry ids. Each of these lists is
-- packed as count, then length-prefixed strings. delays: what to wait (ms) before the next fetch: after the first and second fetch without
-- news since a ping, after a failure (-1: none).
-- 'released' gives the topic back as it was, due after the wait of a failure. Returns {'lapsed' | 'released' | 'silent' | 'appended' | 'same' | 'failed',
-- event id or false, the event before it or false, bucket claim or false}.
--! clock worklist progress origin bucket log document
local topic, token, outcome = ARGV[1], ARGV[2], ARGV[3]
local claim = claim_held(PINGED, topic, token)
local t = topic_key(topic)
if not claim or redis.call('EXISTS', t) == 0 then return { 'lapsed', false, false, false } end
local after_first, after_second, after_failure = struct.unpack('>i4i4i4', ARGV[9])
if outcome == 'released' then
  settle(PINGED, topic, claim, NOW + math.max(0, after_failure))
  return { 'released', false, false, false }
end

-- The one bucket of a topic, where nobody works on it, goes to the appending worker, which has the event in hand.
local function fast_path(randomness)
  if randomness == '' or redis.call('ZCARD', room_key(topic)) ~= 1 then return false end
  local k = redis.call('ZRANGE', room_key(topic), 0, 0)[1]
  if standing_claim(ready_list(topic), k) then return false end
  return claim_bucket(topic, k, randomness)
end

write_records(topic, ARGV[4], ARGV[7], ARGV[8])
local stage = tonumber(redis.call('HGET', t, 'recheck') or 2)
local delay, answer, id, before, bucket = -1, outcome, false, false, false
redis.call('HSET', t, 'fetched_at', NOW)
if outcome == 'failed' then
  redis.call('HINCRBY', t, 'failures', 1)
  delay = after_failure
else
  redis.call('HDEL', t, 'failures', 'refused')
  if ARGV[6] ~= '' then redis.call('SET', P .. 'body:' .. topic, ARGV[6]) end
  local is_first = redis.call('HSETNX', t, 'has_baseline', 1) == 1
  if ARGV[5] ~= '' and is_first and tonumber(redis.call('HGET', t, 'subscriptions') or 0) == 0 then
    answer = 'silent'
  elseif ARGV[5] ~= '' then
    id, before = write_event(topic, ARGV[5])
    answer = 'appended'
  elseif stage < 2 then
    delay = stage == 0 and after_first or after_second
    stage = stage + 1
  end
  -- A ping that came during the fetch starts the re-checks anew.
  if claim.moved then stage = 0 elseif answer ~= 'same' then stage = 2 end
  redis.call('HSET', t, 'recheck', stage)
end
local fetch_at = settle(PINGED, topic, claim, delay >= 0 and NOW + delay or nil)
if fetch_at then redis.call('HSET', t, 'fetch_at', fetch_at) else redis.call('HDEL', t, 'fetch_at') end
if id then bucket = fast_path(ARGV[10]) touch_ready(topic) end
-- The fast path ends the leases that are over, and so perhaps the last one.
if id and not bucket then forget_if_unfollowed(topic) end
return { answer, id, before, bucket }
