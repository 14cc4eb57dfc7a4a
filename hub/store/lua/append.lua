-- append(topic_id, token, outcome, facts, event, body, seen, evicted, delays, deliver_randomness): settles a fetch; nothing of a fetch is
-- written otherwise. outcome is 'news' (with an event), 'same', 'failed' or 'released'. facts: alternating field and value for the topic record; event: a
-- packed event ('' for none); body: the newest body ('' keeps the old one); seen: alternating entry id and record, evicted: entry ids. Each of these lists is
-- packed as count, then length-prefixed strings. delays: what to wait (ms) before the next fetch: after the first and second fetch without
-- news since a ping, after a failure (-1: none).
-- 'released' gives the topic back as it was, due after the wait of a failure. Returns {'lapsed' | 'released' | 'silent' | 'appended' | 'same' | 'failed',
-- event id or false, the event before it or false}, and behind that, where a bucket is claimed, its topic, number, token, facts and members. In
-- one row, as Redis sends each table by itself, and wakes its reader each time.
--! clock worklist progress origin bucket log document
local topic, token, outcome = ARGV[1], ARGV[2], ARGV[3]
local claim = claim_held(PINGED, topic, token)
local t = topic_key(topic)
local f = claim and redis.call('HMGET', t, 'url', 'recheck', 'has_baseline', 'subscriptions')
if not (claim and f[1]) then return { 'lapsed', false, false } end
local after_first, after_second, after_failure = struct.unpack('>i4i4i4', ARGV[9])
if outcome == 'released' then
  settle(PINGED, topic, claim, NOW + math.max(0, after_failure))
  return { 'released', false, false }
end

-- What changes of the topic's record. Written at once, as each call takes longer than what it does.
local fields = list(ARGV[4])
put(fields, 'fetched_at', NOW)
local stage, delay, answer, id, before = tonumber(f[2] or 2), -1, outcome, false, false
if outcome == 'failed' then
  redis.call('HINCRBY', t, 'failures', 1)
  delay = after_failure
else
  if ARGV[5] ~= '' and not f[3] and tonumber(f[4] or 0) == 0 then
    answer = 'silent'
  elseif ARGV[5] ~= '' then
    id, before = write_event(topic, ARGV[5], fields)
    answer = 'appended'
  elseif stage < 2 then
    delay = stage == 0 and after_first or after_second
    stage = stage + 1
  end
  -- A ping that came during the fetch starts the re-checks anew.
  if claim.moved then stage = 0 elseif answer ~= 'same' then stage = 2 end
  put(fields, 'has_baseline', 1, 'recheck', stage)
end
redis.call('HSET', t, unpack(fields))
write_seen(topic, ARGV[7], ARGV[8])
if outcome ~= 'failed' and ARGV[6] ~= '' then redis.call('SET', P .. 'body:' .. topic, ARGV[6]) end
local fetch_at = settle(PINGED, topic, claim, delay >= 0 and NOW + delay or nil)
local gone = outcome == 'failed' and {} or { 'failures', 'refused' }
if fetch_at then redis.call('HSET', t, 'fetch_at', fetch_at) else put(gone, 'fetch_at') end
if #gone > 0 then redis.call('HDEL', t, unpack(gone)) end
if not id then return { answer, false, false } end

-- The one bucket of a topic, where nobody works on it, goes to the appending worker, which has the event in hand.
local buckets = redis.call('ZRANGE', room_key(topic), 0, 1)
local is_free = ARGV[10] ~= '' and #buckets == 1 and not standing_claim(ready_list(topic), buckets[1])
local bucket = is_free and claim_bucket(topic, buckets[1], ARGV[10])
if not is_free then wake_buckets(topic) end
touch_ready(topic)
-- The fast path ends the leases that are over, and so perhaps the last one.
if not bucket then forget_if_unfollowed(topic) end
local reply = { answer, id, before }
if bucket then
  put(reply, bucket[1], bucket[2], bucket[3], unpack(bucket[4]))
  for _, part in ipairs(bucket[5]) do reply[#reply + 1] = part end
end
return reply
