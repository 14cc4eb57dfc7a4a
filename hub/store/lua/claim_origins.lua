-- claim_origins(budget, randomness): what is due of the breakers: of an open one a bucket is claimed in which one subscription probes; of a closed
-- one the next of the waiting buckets are added, twice as many each time. Returns {ms until the next look, bucket claims}.
--! clock worklist progress origin bucket
local budget, claims = tonumber(ARGV[1]), {}
go_on_when_full(ORIGINS)

-- In one step: what is taken out of those that wait is in `ready`.
local function release(b)
  local popped = redis.call('ZPOPMIN', waits_key(b.origin), b.pace)
  for i = 1, #popped, 2 do
    local topic, k = string.match(popped[i], '^(.*)%.(%d+)$')
    if redis.call('ZSCORE', room_key(topic), k) then add_bucket(topic, k, NOW) end
  end
  if redis.call('EXISTS', waits_key(b.origin)) == 0 then return forget_breaker(b) end
  b.pace = math.min(b.pace * 2, L.release_most)
  keep_breaker(b, NOW + L.release_interval)
end

-- Looks at one waiting bucket; returns when to look again where none of it can probe, or nil where nobody of it is held.
local function look_for_probe(b, member)
  local topic, k = string.match(member, '^(.*)%.(%d+)$')
  if standing_claim(ready_list(topic), k) then return NOW + L.look_again end
  b.held_in, b.candidates, b.due_at = nil, {}, nil
  local bucket = claim_bucket(topic, k, ARGV[2], b)
  touch_ready(topic, true)
  if redis.call('EXISTS', room_key(topic)) == 0 then forget_if_unfollowed(topic) end
  b.candidates = nil
  if bucket then
    claims[#claims + 1] = bucket
    budget = budget - #bucket[5] / 3
  end
  return b.held_in and (b.due_at or NOW + L.look_again)
end

-- Those that have been looked at go behind the others, so that each is the next one in its turn.
local function probe(b)
  local waits, next_at = waits_key(b.origin), NOW + longest_probe_wait()
  b.probe = 0
  local members = redis.call('ZRANGE', waits, 0, L.probe_buckets - 1)
  for _, member in ipairs(members) do
    local at = look_for_probe(b, member)
    if at then redis.call('ZADD', waits, NOW, member) else redis.call('ZREM', waits, member) end
    if b.probe ~= 0 then return keep_breaker(b, NOW + L.claim_lease) end
    if at then next_at = math.min(next_at, at) end
  end
  local left = redis.call('ZCARD', waits)
  if left == 0 then return forget_breaker(b) end
  keep_breaker(b, left > #members and NOW + L.look_again or next_at)
end

for _ = 1, L.claim_steps do
  local origin = due_members(ORIGINS, 1)[1]
  if not origin or budget <= 0 then break end
  local b = has_breakers() and breaker_at(origin)
  if not b then
    redis.call('ZREM', ORIGINS.z, origin)
  elseif b.is_open then
    probe(b)
  else
    release(b)
  end
end
return { wait_for(ORIGINS), claims }
