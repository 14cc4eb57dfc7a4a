-- A work list: a zset of times (z) and a hash of claims (c), member -> 'until:moved:token'.
-- 'moved' is the generation of design section 3, of which only "changed since the claim" is ever asked.
local function list_of(name, longest_wait)
  return { z = P .. 'wl:' .. name, c = P .. 'wl:' .. name .. ':claims', bell = name, longest_wait = longest_wait }
end

-- Redis lets a script that has begun to write go on where memory is full, and lets any begin with a deletion: what was
-- accepted has to be worked off, or no room is ever made.
local function go_on_when_full(list) redis.call('HDEL', list.c, '') end

local function first_time(list)
  return tonumber(redis.call('ZRANGE', list.z, 0, 0, 'WITHSCORES')[2])
end

local function ring(name) redis.call('PUBLISH', P .. 'bell', name) end

-- How long (ms) a worker may sleep before it looks at a list again, if nothing rings. Where something is due still,
-- another worker is rung, since the one that asked took what it could.
local function wait_for(list)
  local first = first_time(list)
  if not first then return L.look_again end
  if first <= NOW then ring(list.bell) end
  return math.min(L.look_again, math.max(0, first - NOW))
end

local function parse_claim(text)
  local ends, moved, token = string.match(text, '^(%d+):(%d):(.*)$')
  return { ends = tonumber(ends), moved = moved == '1', token = token }
end

-- The claim that stands, or nil. One that ends later than a claim can last was written before the
-- clock went back, and counts as ended.
local function standing_claim(list, member)
  local text = redis.call('HGET', list.c, member)
  if not text then return nil end
  local claim = parse_claim(text)
  if claim.ends <= NOW or claim.ends > NOW + L.claim_lease + L.clock_slack then return nil end
  return claim
end

-- The bell rings only for what no worker that sleeps or works already waits for: a new earliest time.
local function set_time(list, member, at)
  local is_first = false
  if list.bell and at <= NOW + L.look_again then
    local first = first_time(list)
    is_first = not first or first > at
  end
  redis.call('ZADD', list.z, at, member)
  if is_first then ring(list.bell) end
end

-- Returns true where the member is claimed: who works on it is to come back to it.
local function add(list, member, at)
  local text = redis.call('HGET', list.c, member)
  if text then
    local claim = standing_claim(list, member)
    if claim then
      if not claim.moved then
        redis.call('HSET', list.c, member, string.format('%.0f:1:%s', claim.ends, claim.token))
      end
      return true
    end
    redis.call('HDEL', list.c, member)
  end
  local score = redis.call('ZSCORE', list.z, member)
  if not score or tonumber(score) > at then set_time(list, member, at) end
end

local function due_members(list, limit)
  return redis.call('ZRANGEBYSCORE', list.z, '-inf', NOW, 'LIMIT', 0, limit)
end

local function claim_member(list, member, token)
  local ends = NOW + L.claim_lease
  redis.call('HSET', list.c, member, string.format('%.0f:0:%s', ends, token))
  redis.call('ZADD', list.z, ends, member)
  return ends
end

-- The claim, where this token holds it and it has not lapsed.
local function claim_held(list, member, token)
  local claim = standing_claim(list, member)
  if claim and claim.token == token then return claim end
  return nil
end

local function remove(list, member)
  redis.call('ZREM', list.z, member)
  redis.call('HDEL', list.c, member)
end

-- next_at nil: nothing is left to do. What was added during the claim is due at once. Returns the time that stands then.
local function settle(list, member, claim, next_at)
  redis.call('HDEL', list.c, member)
  if claim.moved then next_at = math.min(next_at or NOW, NOW) end
  if next_at then set_time(list, member, next_at) else redis.call('ZREM', list.z, member) end
  return next_at
end

-- Puts back the time of a member that is worked on, and undoes what a clock that went back leaves: a claim or a wait
-- that lies further ahead than its length. Returns 1 where there was something to mend, else 0.
local function mend(list, member)
  local text = redis.call('HGET', list.c, member)
  local claim = standing_claim(list, member)
  local score = tonumber(redis.call('ZSCORE', list.z, member))
  if claim and score then return 0 end
  if claim then
    redis.call('ZADD', list.z, claim.ends, member)
    return 1
  end
  if text then redis.call('HDEL', list.c, member) end
  local is_lost = text and (not score or score > NOW)
  if not is_lost and not (score and score > NOW + list.longest_wait) then return 0 end
  set_time(list, member, NOW)
  return 1
end
