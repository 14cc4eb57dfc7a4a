-- claim_unverified(limit, randomness): claims requests whose verification is due. A request that waits for its
-- topic's baseline comes back within a second, and is verified after its patience anyway (fine print 2).
-- Returns {ms until the next look, claims}, a claim being {number, token, FIELDS, FACTS of a topic that is to be subscribed to or {}}.
--! clock worklist progress origin bucket
-- The first two are for the script itself, and what follows are the FIELDS; of a topic the first two are the FACTS.
local REQUEST = { 'topic', 'accepted_at', 'mode', 'url', 'callback', 'lease_s', 'verify_token', 'tries' }
local TOPIC = { 'refused', 'hubs', 'head', 'has_baseline', 'fetched_at' }
local claims, topics, token = {}, {}, nil

-- Many wait for one topic.
local function facts_of(topic)
  local t = topics[topic] or redis.call('HMGET', topic_key(topic), unpack(TOPIC))
  topics[topic] = t
  return t
end

-- How long (ms) a request waits for its topic's first document. Where reading it has failed before, no longer than that was ago
-- when the request came: so a fetch that fails after it ends the wait, and a topic that always fails delays nobody much.
local function patience(t, accepted_at)
  if t[4] then return 0 end
  if not t[5] then return L.baseline_patience end
  return math.min(L.baseline_patience, accepted_at - tonumber(t[5]))
end

go_on_when_full(UNVERIFIED)
for _, n in ipairs(due_members(UNVERIFIED, tonumber(ARGV[1]))) do
  local request = P .. 'request:' .. n
  local r = redis.call('HMGET', request, unpack(REQUEST))
  local mode = r[3]
  if not mode then
    remove(UNVERIFIED, n)
  else
    local t, accepted_at = facts_of(r[1]), tonumber(r[2])
    local waited = NOW - accepted_at
    if mode == 'subscribe' and waited >= 0 and waited < patience(t, accepted_at) then
      redis.call('HDEL', UNVERIFIED.c, n)
      redis.call('ZADD', UNVERIFIED.z, NOW + math.min(1000, math.max(20, waited)), n)
    else
      -- One for all: it holds only with the member that it was given for.
      token = token or token_of(ARGV[2])
      claim_member(UNVERIFIED, n, token)
      redis.call('HSET', request, 'claimed_at', NOW, 'start', t[3] or '0-0')
      claims[#claims + 1] = { n, token, { unpack(r, 3, #REQUEST) }, mode == 'subscribe' and { t[1], t[2] } or {} }
    end
  end
end
return { wait_for(UNVERIFIED), claims }
