-- claim_ready(budget, randomness): claims buckets with due members until they hold `budget` of them: up to L.buckets_per_topic of a
-- topic, which then goes to the end of the list, so that a large topic does not hold up a small one. Returns {ms until the next look, bucket claims}.
--! clock worklist progress origin bucket
local budget, claims = tonumber(ARGV[1]), {}
go_on_when_full(READY)
for _ = 1, L.claim_steps do
  local topic = due_members(READY, 1)[1]
  if not topic or budget <= 0 then break end
  sweep_step(topic)
  for _, k in ipairs(due_members(ready_list(topic), L.buckets_per_topic)) do
    local bucket = budget > 0 and claim_bucket(topic, k, ARGV[2])
    if bucket then
      claims[#claims + 1] = bucket
      budget = budget - #bucket[5] / 3
    end
  end
  touch_ready(topic, true)
  if redis.call('EXISTS', room_key(topic)) == 0 then forget_if_unfollowed(topic) end
end
return { wait_for(READY), claims }
