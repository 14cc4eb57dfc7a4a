-- end_trial(topic_id, trial): a topic that was followed on trial for so many ms is not to be kept for that.
-- Returns 1 where it is forgotten, or was; else 0.
--! clock worklist progress origin bucket
local topic, trial = ARGV[1], tonumber(ARGV[2])
local at = tonumber(redis.call('ZSCORE', P .. 'read', topic))
if at and at <= NOW - L.interest + trial then
  redis.call('ZREM', P .. 'read', topic)
  forget_if_unfollowed(topic)
end
return redis.call('EXISTS', topic_key(topic)) == 0 and 1 or 0
