-- describe_topic(topic_id, from): what is known of a topic, and of its subscriptions L.repair_slice buckets at a time.
-- Returns {next `from` or 0, fields, {subscription, progress, ms since its origin is held or -1, ...}}; fields are false where the topic is unknown.
--! clock worklist progress origin bucket
local topic, from = ARGV[1], tonumber(ARGV[2])
local fields = redis.call('HMGET', topic_key(topic), 'url', 'subscriptions', 'pending', 'head', 'trimmed_to', 'log_length',
  'log_bytes', 'outcome', 'failures', 'last_ping', 'fetched_at', 'content_type', 'mishaps', 'mishaps_since', 'buckets')
if not fields[1] then return { 0, false, {} } end
local last = tonumber(fields[15] or 0)
local to = math.min(from + L.repair_slice, last)
local members = {}
for k = from + 1, to do
  local roster = redis.call('HGETALL', roster_key(topic, k))
  for i = 1, #roster, 2 do
    members[#members + 1] = roster[i + 1]
    members[#members + 1] = redis.call('HGET', progress_key(topic, k), roster[i])
    local b = breaker_of(roster[i + 1])
    members[#members + 1] = b and b.is_open and math.max(0, NOW - b.since) or -1
  end
end
return { to < last and to or 0, fields, members }
