-- Origins (scheme, host, port) with a breaker: while it is open their subscriptions are held, and one request at a time probes.
-- A breaker is there from its opening until it is closed and nothing waits (fine print 10); then its origin is like any other.
local ORIGINS, BREAKERS = list_of('origins'), P .. 'origins'
-- What opened it: no connection comes about; or several callbacks fail and none succeeds, or all that may be under way is silent.
local UNREACHABLE = 1

local function waits_key(origin) return P .. 'waits:' .. origin end

local function without_default_port(scheme, authority)
  if not scheme then return '' end
  scheme, authority = string.lower(scheme), string.lower(authority)
  local port = string.match(authority, ':(%d*)$')
  if port == '' or port == (scheme == 'https' and '443' or '80') then authority = string.sub(authority, 1, -2 - #port) end
  return scheme .. '://' .. authority
end

-- The origin of a roster record's callback, as `origin_of` of hub/store/origins.py says it. Those of a bucket likely are few.
local seen_origins = {}
local function origin_of(subscription)
  local _, _, _, _, secret_bytes, at = struct.unpack('>BI8BBB', subscription)
  local start = string.match(subscription, '^%a+://[^/?#]*', at + secret_bytes) or ''
  if not seen_origins[start] then seen_origins[start] = without_default_port(string.match(start, '^(%a+)://(.*)$')) end
  return seen_origins[start]
end

-- An empty table of breakers costs healthy buckets one call.
local function has_breakers()
  if is_any == nil then is_any = redis.call('EXISTS', BREAKERS) == 1 end
  return is_any
end

local function breaker_at(origin)
  local b = seen_breakers[origin]
  if b == nil then
    local text = redis.call('HGET', BREAKERS, origin)
    b = false
    if text then
      local state, since, cause, step, probe, pace = string.match(text, '^(%a+) (%d+) (%d) (%d+) (%d+) (%d+)$')
      b = { origin = origin, is_open = state == 'open', since = tonumber(since), cause = tonumber(cause), step = tonumber(step),
        probe = tonumber(probe), pace = tonumber(pace) }
    end
    seen_breakers[origin] = b
  end
  return b or nil
end

local function breaker_of(subscription)
  return subscription and has_breakers() and breaker_at(origin_of(subscription)) or nil
end

local function keep_breaker(b, at)
  redis.call('HSET', BREAKERS, b.origin, string.format('%s %.0f %d %d %.0f %d', b.is_open and 'open' or 'closed', b.since,
    b.cause, b.step, b.probe, b.pace))
  set_time(ORIGINS, b.origin, at)
  seen_breakers[b.origin], is_any = b, true
end

local function forget_breaker(b)
  redis.call('HDEL', BREAKERS, b.origin)
  redis.call('ZREM', ORIGINS.z, b.origin)
  seen_breakers[b.origin] = false
end

-- Where very many origins are down each is probed the more seldom: the probes of all come to no more than one each L.probe_spacing.
local function longest_probe_wait()
  return math.min(L.probe_most, math.max(L.probe_longest, redis.call('HLEN', BREAKERS) * L.probe_spacing))
end

-- How long (ms) until the next probe: 5 s, then 5 times as long each time.
local function probe_delay(b) return math.min(L.probe_first * 5 ^ (b.step - 1), longest_probe_wait()) end

-- What became of breakers in this call, for the log: origin, what opened it (0: it is closed), the error.
local turned = {}

-- A failure that is the origin's opens its breaker.
local function open_breaker(origin, o)
  local b = breaker_at(origin)
  if b and b.is_open then return end
  b = { origin = origin, is_open = true, since = NOW, cause = o.blamed, step = 1, probe = 0, pace = 1 }
  keep_breaker(b, NOW + probe_delay(b))
  turned[#turned + 1] = { origin, o.blamed, o.error or '' }
end

local function close_breaker(b)
  b.is_open, b.since, b.probe, b.pace = false, NOW, 0, 1
  keep_breaker(b, NOW)
  turned[#turned + 1] = { b.origin, 0, '' }
end

local function next_probe(b, at)
  b.probe = 0
  keep_breaker(b, at)
end

-- Keeps a bucket until the breaker is closed: returns 1 where it was not kept yet.
local function hold(b, topic, k)
  return redis.call('ZADD', waits_key(b.origin), 'NX', 0, topic .. '.' .. k)
end

local function is_waiting(b, topic, k) return redis.call('ZSCORE', waits_key(b.origin), topic .. '.' .. k) end

-- When a subscription is to be tried; nil where it is not behind, or held: then its bucket waits for the origin.
-- `subscription_of` gives its roster record, which is asked for only where there are breakers at all.
local function turn_at(topic, k, sid, p, head, subscription_of)
  local at = due_at(p, head.ms, head.seq)
  if not at or not has_breakers() then return at end
  local subscription = subscription_of(sid)
  local b = breaker_of(subscription)
  if not b or not b.is_open then return at end
  if b.held_in ~= topic .. '.' .. k then
    b.held_in = topic .. '.' .. k
    hold(b, topic, k)
  end
  if b.candidates and at <= NOW then
    b.candidates[#b.candidates + 1] = { sid = sid, p = p, subscription = subscription }
  elseif b.candidates and (not b.due_at or at < b.due_at) then
    b.due_at = at
  end
  return nil
end

-- The one that probes: of those with the fewest failures, since a callback that works is the best witness, any one by chance.
local function choose_probe(candidates, chance)
  local fewest = {}
  for _, one in ipairs(candidates) do
    if fewest[1] and one.p.attempts < fewest[1].p.attempts then fewest = {} end
    if not fewest[1] or one.p.attempts == fewest[1].p.attempts then fewest[#fewest + 1] = one end
  end
  return fewest[chance % #fewest + 1]
end
