-- Progress of one subscription. Healthy: cursor and incarnation (20 bytes). Otherwise also what went wrong and
-- what is in flight. The same layout is in hub/store/progress.py.
local HEALTHY, FULL = '>I8I4I8', '>I8I4I8I2I8I8I8I8I8I8I4'

local function read_progress(raw)
  local p = { attempts = 0, last_at = 0, next_at = 0, hold_until = 0, flight_until = 0, attempt = 0,
    tried_ms = 0, tried_seq = 0, error = '' }
  if #raw == 20 then
    p.ms, p.seq, p.incarnation = struct.unpack(HEALTHY, raw)
    return p
  end
  local rest
  p.ms, p.seq, p.incarnation, p.attempts, p.last_at, p.next_at, p.hold_until, p.flight_until, p.attempt,
    p.tried_ms, p.tried_seq, rest = struct.unpack(FULL, raw)
  p.error = string.sub(raw, rest)
  return p
end

local function show_progress(p)
  if p.attempts == 0 and p.flight_until == 0 then return struct.pack(HEALTHY, p.ms, p.seq, p.incarnation) end
  return struct.pack(FULL, p.ms, p.seq, p.incarnation, p.attempts, p.last_at, p.next_at, p.hold_until,
    p.flight_until, p.attempt, p.tried_ms, p.tried_seq) .. p.error
end

local function is_in_flight(p)
  return p.flight_until > NOW and p.flight_until <= NOW + L.longest_flight + L.clock_slack
end

-- When a subscription is to be tried next (ms), or nil where it is not behind. Invariant 3: who fails is tried
-- again for each new event, at the earlier of its own time and 10 minutes after its last attempt.
local function due_at(p, head_ms, head_seq)
  if not is_before(p.ms, p.seq, head_ms, head_seq) then return nil end
  local at = NOW
  if p.attempts > 0 then
    at = p.next_at
    if is_before(p.tried_ms, p.tried_seq, head_ms, head_seq) then
      at = math.min(at, p.last_at + L.new_event_wait)
    end
    at = math.max(at, p.hold_until)
    -- A last attempt in the future was written before the clock went back, and its waits with it.
    if p.last_at > NOW or at > NOW + L.longest_wait then at = NOW end
  end
  if is_in_flight(p) then at = math.max(at, p.flight_until) end
  return at
end
