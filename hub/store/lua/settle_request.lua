-- settle_request(number, token, outcome, delay_ms): outcome is 'confirmed', 'refused', 'denied', or
-- 'again' or 'released' to give it back. A confirmed one is
-- applied unless one of the pair with a higher number was (invariant 8). Returns 'applied', 'superseded',
-- 'finished', 'again', or 'lapsed' where the claim does not stand, and nothing was written.
--! clock worklist progress origin bucket
local n, token, outcome = ARGV[1], ARGV[2], ARGV[3]
local claim = claim_held(UNVERIFIED, n, token)
if not claim then return 'lapsed' end
local key = P .. 'request:' .. n
if outcome == 'again' or outcome == 'released' then
  if outcome == 'again' then redis.call('HINCRBY', key, 'tries', 1) end
  settle(UNVERIFIED, n, claim, NOW + tonumber(ARGV[4]))
  return outcome
end
local r = redis.call('HMGET', key, 'mode', 'topic', 'sid', 'callback', 'secret', 'lease_s', 'signature', 'content',
  'claimed_at', 'start')
local mode, topic, sid = r[1], r[2], r[3]

local function new_slot()
  local room = redis.call('ZREVRANGEBYSCORE', room_key(topic), L.bucket_size - 1, '-inf', 'LIMIT', 0, 1)[1]
  local k = room or string.format('%.0f', redis.call('HINCRBY', topic_key(topic), 'buckets', 1))
  redis.call('ZINCRBY', room_key(topic), 1, k)
  redis.call('HSET', index_key(sid), sid, k)
  return k
end

local function start_cursor(p)
  p.ms, p.seq = parse_id(r[10])
  p.attempts, p.error = 0, ''
end

-- Fine print 3 and 5: a renewal keeps cursor, failures and flight; who takes over an ended slot keeps its flight.
local function subscribe()
  local k = redis.call('HGET', index_key(sid), sid)
  local raw = k and redis.call('HGET', progress_key(topic, k), sid)
  local is_new = not k or redis.call('HEXISTS', roster_key(topic, k), sid) == 0
  local p = raw and read_progress(raw) or read_progress(struct.pack('>I8I4I8', 0, 0, 0))
  if not k then k = new_slot() end
  if is_new then
    start_cursor(p)
    redis.call('HINCRBY', topic_key(topic), 'subscriptions', 1)
  end
  -- Drawn when it was accepted, and no other number is equal to it.
  p.incarnation = tonumber(n)
  local lease_end = tonumber(r[9]) + tonumber(r[6]) * 1000 + L.lease_grace
  redis.call('HSET', progress_key(topic, k), sid, show_progress(p))
  redis.call('HSET', roster_key(topic, k), sid,
    struct.pack('>BI8BBB', 1, lease_end, r[7], r[8], #r[5]) .. r[5] .. r[4])
  -- Nothing in this list is claimed, and the earliest lease counts.
  redis.call('ZADD', ENDING.z, 'LT', lease_end, topic .. '.' .. k)
  local at = due_at(p, parse_id(redis.call('HGET', topic_key(topic), 'head')))
  if at then add_bucket(topic, k, at) end
end

local function unsubscribe()
  local k = redis.call('HGET', index_key(sid), sid)
  if not k or redis.call('HEXISTS', roster_key(topic, k), sid) == 0 then return end
  local p = read_progress(redis.call('HGET', progress_key(topic, k), sid))
  end_subscription(topic, k, sid, p, standing_claim(ready_list(topic), k) ~= nil)
end

-- First of all, since Redis lets a script that has begun to write go on where memory is full: a callback that
-- confirmed is not asked again and again.
remove(UNVERIFIED, n)
local pair = pair_key(sid)
local others, applied = 0, 0
local flat = redis.call('HGETALL', pair)
for i = 1, #flat, 2 do
  if flat[i] == 'applied' then applied = tonumber(flat[i + 1]) elseif flat[i] ~= n then others = others + 1 end
end
local answer = 'finished'
local is_newest = applied <= tonumber(n)
-- WebSub 5.2: who is told that a subscription is denied has none, be it that the request was a renewal.
if outcome == 'denied' and is_newest then unsubscribe() end
if outcome == 'confirmed' then
  answer = is_newest and 'applied' or 'superseded'
  if is_newest then
    if others > 0 then redis.call('HSET', pair, 'applied', n) end
    if mode == 'subscribe' then subscribe() else unsubscribe() end
  end
end
if others > 0 then
  redis.call('HDEL', pair, n)
  redis.call('DEL', key)
else
  redis.call('DEL', key, pair)
end
redis.call('ZREM', P .. 'requests', n)
if redis.call('HINCRBY', topic_key(topic), 'pending', -1) <= 0 then forget_if_unfollowed(topic) end
return answer
