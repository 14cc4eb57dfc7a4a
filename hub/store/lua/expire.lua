-- expire(limit): ends the leases that are over, in up to `limit` buckets and no more than hold a bucket's worth of them
-- (fine print 11); the lease is read again here (fine print 4).
-- Returns {ms until the next look, {topic url, callback of each ended subscription, flat}}.
--! clock worklist progress origin bucket
local ended = {}
go_on_when_full(ENDING)
for _, member in ipairs(due_members(ENDING, tonumber(ARGV[1]))) do
  if #ended / 2 >= L.bucket_size then break end
  local topic, k = string.match(member, '^(.*)%.(%d+)$')
  local roster = redis.call('HGETALL', roster_key(topic, k))
  local url = redis.call('HGET', topic_key(topic), 'url')
  local is_claimed = standing_claim(ready_list(topic), k) ~= nil
  local next_at
  for i = 1, #roster, 2 do
    local sid, subscription = roster[i], roster[i + 1]
    local is_over, lease_end = has_lease_ended(sid, subscription)
    if is_over then
      end_subscription(topic, k, sid, read_progress(redis.call('HGET', progress_key(topic, k), sid)), is_claimed)
      local _, _, _, _, _, at = struct.unpack('>BI8BBBc0', subscription)
      ended[#ended + 1] = url
      ended[#ended + 1] = string.sub(subscription, at)
    else
      -- One that is over but has a renewal pending is looked at again soon.
      local look_at = math.max(lease_end, NOW + L.renewal_wait)
      if lease_end > NOW then look_at = lease_end end
      if not next_at or look_at < next_at then next_at = look_at end
    end
  end
  if next_at then redis.call('ZADD', ENDING.z, next_at, member) else redis.call('ZREM', ENDING.z, member) end
  forget_if_unfollowed(topic)
end
return { wait_for(ENDING), ended }
