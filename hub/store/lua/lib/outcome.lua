-- What became of requests to subscriptions: packed by hub/store/outcomes.py, written by settle_bucket and settle_late.
local DELIVERED, GONE, FAILED, IN_FLIGHT, NO_TURN, NOT_COUNTED = 1, 2, 3, 4, 5, 6

local function read_outcome(packed, at)
  local o = {}
  o.sid, o.incarnation, o.attempt, o.kind, at = struct.unpack('>c16I8I8B', packed, at)
  if o.kind == DELIVERED then
    o.ms, o.seq, at = struct.unpack('>I8I4', packed, at)
  elseif o.kind == FAILED then
    o.delay, o.hold, o.ms, o.seq, o.blamed, o.error, at = struct.unpack('>I4I4I8I4BBc0', packed, at)
  elseif o.kind == IN_FLIGHT then
    o.remaining, o.ms, o.seq, at = struct.unpack('>I4I8I4', packed, at)
  elseif o.kind == NO_TURN then
    o.blamed, at = struct.unpack('>B', packed, at)
  end
  return o, at
end

-- Changes p; returns true where the subscription is gone.
local function apply_outcome(o, p)
  if o.kind == IN_FLIGHT then
    p.flight_until, p.attempt = NOW + o.remaining, o.attempt
    if p.incarnation == o.incarnation then p.tried_ms, p.tried_seq = o.ms, o.seq end
    return false
  end
  if o.kind == NO_TURN then
    -- Skipped for a while, as if a request were under way; but none is, and so no attempt can end it.
    if p.incarnation == o.incarnation then p.flight_until, p.attempt = NOW + L.rest, 0 end
    return false
  end
  p.flight_until, p.attempt = 0, 0
  if p.incarnation ~= o.incarnation or o.kind == NOT_COUNTED then return false end
  if o.kind == GONE then return true end
  if o.kind == DELIVERED then
    p.attempts, p.error = 0, ''
    -- A cursor never goes back (fine print 9).
    if is_before(p.ms, p.seq, o.ms, o.seq) then p.ms, p.seq = o.ms, o.seq end
  else
    p.attempts, p.last_at, p.next_at = math.min(p.attempts + 1, 65535), NOW, NOW + o.delay
    p.hold_until = o.hold > 0 and NOW + o.hold or 0
    p.tried_ms, p.tried_seq, p.error = o.ms, o.seq, o.error
  end
  return false
end

-- What a probe tells about its origin. That it cannot be reached is no failure of the subscription that probed.
local function end_probe(b, o)
  if o.kind == IN_FLIGHT then return keep_breaker(b, NOW + o.remaining) end
  local is_answered = o.kind ~= FAILED or (o.blamed == 0 and b.cause == UNREACHABLE)
  if is_answered then return close_breaker(b) end
  if o.blamed ~= 0 then b.cause = o.blamed end
  if o.blamed == UNREACHABLE then o.kind = NOT_COUNTED end
  b.step = math.min(b.step + 1, 9)
  next_probe(b, NOW + probe_delay(b))
end
