-- claim_unverified(limit, randomness): claims requests whose verification is due. A request that waits for its
-- topic's baseline comes back within a second, and is verified after its patience anyway (fine print 2).
-- Returns {ms until the next look, claims}, a claim being {number, token, FIELDS, FACTS of a topic that is to be subscribed to or {}}.
--! clock worklist progress origin bucket
local FIELDS = { 'mode', 'url', 'callback', 'lease_s', 'verify_token', 'tries' }
local FACTS = { 'refused', 'hubs' }
local claims = {}

-- How long (ms) a request waits for its topic's first document. Where reading it has failed before, no longer than that was ago
-- when the request came: so a fetch that fails after it ends the wait, and a topic that always fails delays nobody much.
local function patience(topic, accepted_at)
  local t = redis.call('HMGET', topic_key(topic), 'has_baseline', 'fetched_at')
  if t[1] then return 0 end
  if not t[2] then return L.baseline_patience end
  return math.min(L.baseline_patience, accepted_at - tonumber(t[2]))
end

go_on_when_full(UNVERIFIED)
for _, n in ipairs(due_members(UNVERIFIED, tonumber(ARGV[1]))) do
  local request = P .. 'request:' .. n
  local r = redis.call('HMGET', request, 'mode', 'topic', 'accepted_at')
  if not r[1] then
    remove(UNVERIFIED, n)
  else
    local waited = NOW - tonumber(r[3])
    if r[1] == 'subscribe' and waited >= 0 and waited < patience(r[2], tonumber(r[3])) then
      redis.call('HDEL', UNVERIFIED.c, n)
      redis.call('ZADD', UNVERIFIED.z, NOW + math.min(1000, math.max(20, waited)), n)
    else
      local token = token_of(ARGV[2])
      claim_member(UNVERIFIED, n, token)
      redis.call('HSET', request, 'claimed_at', NOW, 'start', redis.call('HGET', topic_key(r[2]), 'head') or '0-0')
      local facts = r[1] == 'subscribe' and redis.call('HMGET', topic_key(r[2]), unpack(FACTS)) or {}
      claims[#claims + 1] = { n, token, redis.call('HMGET', request, unpack(FIELDS)), facts }
    end
  end
end
return { wait_for(UNVERIFIED), claims }
