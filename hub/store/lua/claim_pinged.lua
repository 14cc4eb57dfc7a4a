-- claim_pinged(limit, what makes the tokens this call's own): claims topics to fetch, within each topic's token bucket (design section 6).
-- Nothing of it is written to disk or sent to replicas, so it waits for no fsync: where Redis forgets a claim, its worker can write nothing, and
-- the topic is due again at once. Hence the tokens are the worker's: a number of the hub's that is forgotten would be given out twice.
-- Returns the ms until the next look, and of each claimed topic its id, the token, the time and its fields: in one row, as Redis sends each table
-- by itself, and wakes its reader each time.
--! clock worklist progress origin bucket allowance
redis.set_repl(redis.REPL_NONE)
local FIELDS = { 'url', 'etag', 'last_modified', 'body_hash', 'documents', 'subscriptions', 'failures', 'has_baseline',
  'format', 'mishaps', 'mishaps_since', 'recheck', 'allowance', 'allowance_at' }
local TOLD = 12
local token, reply = string.format('%.0f.%s', NOW, ARGV[2]), { 0 }

-- The allowance left after this fetch, or nil and when the next one is allowed.
local function take(left, at)
  local next_at = allowed_at(left, at)
  if next_at > NOW then return nil, next_at end
  if not at or tonumber(at) > NOW then return L.fetch_burst - 1 end
  return math.max(0, math.min(L.fetch_burst, tonumber(left) + (NOW - at) / L.fetch_interval) - 1)
end

for _, topic in ipairs(due_members(PINGED, tonumber(ARGV[1]))) do
  local fields = redis.call('HMGET', topic_key(topic), unpack(FIELDS))
  if not fields[1] then
    remove(PINGED, topic)
  else
    local left, next_at = take(fields[13], fields[14])
    if not left then
      redis.call('HDEL', PINGED.c, topic)
      redis.call('ZADD', PINGED.z, next_at, topic)
    else
      claim_member(PINGED, topic, token)
      redis.call('HSET', topic_key(topic), 'allowance', tostring(left), 'allowance_at', NOW)
      for _, part in ipairs({ topic, token, NOW, unpack(fields, 1, TOLD) }) do reply[#reply + 1] = part end
    end
  end
end
reply[1] = wait_for(PINGED)
return reply
