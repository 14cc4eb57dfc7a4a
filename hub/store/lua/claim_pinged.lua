-- claim_pinged(limit, randomness): claims topics to fetch, within each topic's token bucket (design section 6).
-- Returns {ms until the next look, {{topic_id, token, fields, the time}, ...}}.
--! clock worklist progress origin bucket
local FIELDS = { 'url', 'etag', 'last_modified', 'body_hash', 'documents', 'subscriptions', 'failures', 'has_baseline',
  'format', 'mishaps', 'mishaps_since' }

-- The allowance left after this fetch, or nil and when the next one is allowed.
local function take(allowance, at)
  allowance, at = tonumber(allowance or L.fetch_burst), tonumber(at or 0)
  if at > NOW then allowance = L.fetch_burst end
  allowance = math.min(L.fetch_burst, allowance + math.max(0, NOW - at) / L.fetch_interval)
  if allowance >= 1 then return allowance - 1 end
  return nil, NOW + math.ceil((1 - allowance) * L.fetch_interval)
end

local claims = {}
for _, topic in ipairs(due_members(PINGED, tonumber(ARGV[1]))) do
  local fields = redis.call('HMGET', topic_key(topic), unpack(FIELDS))
  if not fields[1] then
    remove(PINGED, topic)
  else
    local left, allowed_at = take(unpack(redis.call('HMGET', topic_key(topic), 'allowance', 'allowance_at')))
    if not left then
      redis.call('HDEL', PINGED.c, topic)
      redis.call('ZADD', PINGED.z, allowed_at, topic)
    else
      local token = token_of(ARGV[2])
      claim_member(PINGED, topic, token)
      redis.call('HSET', topic_key(topic), 'allowance', tostring(left), 'allowance_at', NOW)
      claims[#claims + 1] = { topic, token, fields, NOW }
    end
  end
end
return { wait_for(PINGED), claims }
