-- read_events(topic_id, after, to, limit, bytes): up to `limit` events after a cursor and up to `to` ('': the newest of the hub), of
-- up to so many bytes, but at least one. Who reads is interested: the topic is kept, and each append to it is published.
-- Returns {where its history starts, its newest event, up to where all of its events are among these, {{id, event}, ...}}.
--! clock worklist progress origin bucket
local topic, after, to, limit, room = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
-- Before all else, since reading must go on where memory is full.
redis.call('ZREM', P .. 'read', '')
mark_read(topic)
local f = redis.call('HMGET', topic_key(topic), 'trimmed_to', 'begun', 'head')
if to == '' then to = redis.call('GET', P .. 'clock') or '0-0' end

local events, last = {}, after
local function take(batch)
  for _, event in ipairs(batch) do
    local size = #event[2][2]
    if #events == limit or (#events > 0 and size > room) then return false end
    room, last = room - size, event[1]
    events[#events + 1] = { last, event[2][2] }
  end
  return #batch == L.read_slice
end

local is_cut
repeat
  local batch = redis.call('XRANGE', P .. 'log:' .. topic, '(' .. last, to, 'COUNT', L.read_slice)
  local count = #events
  local goes_on = take(batch)
  is_cut = #events - count < #batch
until not goes_on
return { history_start(f[1], f[2]), f[3] or '0-0', is_cut and last or to, events }
