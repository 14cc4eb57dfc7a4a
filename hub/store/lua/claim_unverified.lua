-- claim_unverified(limit, randomness): claims requests whose verification is due. A request that waits for its
-- topic's baseline comes back within a second, and is verified after L.baseline_patience anyway (fine print 2).
-- Returns {ms until the next look, claims}, a claim being {number, token, FIELDS, FACTS of a topic that is to be subscribed to or {}}.
--! clock worklist progress bucket
local FIELDS = { 'mode', 'url', 'callback', 'lease_s', 'verify_token', 'tries' }
local FACTS = { 'refused', 'hubs' }
local claims = {}
go_on_when_full(UNVERIFIED)
for _, n in ipairs(due_members(UNVERIFIED, tonumber(ARGV[1]))) do
  local request = P .. 'request:' .. n
  local r = redis.call('HMGET', request, 'mode', 'topic', 'accepted_at')
  if not r[1] then
    remove(UNVERIFIED, n)
  else
    local t = redis.call('HMGET', topic_key(r[2]), 'fetched_at', 'head')
    local waited = NOW - tonumber(r[3])
    if r[1] == 'subscribe' and not t[1] and waited >= 0 and waited < L.baseline_patience then
      redis.call('HDEL', UNVERIFIED.c, n)
      redis.call('ZADD', UNVERIFIED.z, NOW + math.min(1000, math.max(20, waited)), n)
    else
      local token = token_of(ARGV[2])
      claim_member(UNVERIFIED, n, token)
      redis.call('HSET', request, 'claimed_at', NOW, 'start', t[2] or '0-0')
      local facts = r[1] == 'subscribe' and redis.call('HMGET', topic_key(r[2]), unpack(FACTS)) or {}
      claims[#claims + 1] = { n, token, redis.call('HMGET', request, unpack(FIELDS)), facts }
    end
  end
end
return { wait_for(UNVERIFIED), claims }
