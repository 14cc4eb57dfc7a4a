-- read_log(topic_id, after, to): the events after a cursor up to the head that was claimed, and trimmed_to with them (fine print 7).
-- Returns {trimmed_to, {{id, event}, ...}}.
--! clock
local trimmed_to = redis.call('HGET', P .. 't:' .. ARGV[1], 'trimmed_to') or '0-0'
local events = redis.call('XRANGE', P .. 'log:' .. ARGV[1], '(' .. ARGV[2], ARGV[3])
for i, event in ipairs(events) do events[i] = { event[1], event[2][2] } end
return { trimmed_to, events }
