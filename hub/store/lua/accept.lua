-- accept(mode, topic_id, key_id, topic, subscription_id, callback, secret, lease_s, verify_token, has_verify_token,
--   signature, content): writes a request to subscribe or unsubscribe. Returns its number; 0 where there is
-- nothing to do (an unsubscription of what nobody subscribed to); -1 where the pair has too many pending.
--! clock worklist progress origin bucket
local mode, topic, key, url, sid = unpack(ARGV, 1, 5)
local pair = pair_key(sid)
local pending = redis.call('HLEN', pair)
if pending > 0 then pending = pending - redis.call('HEXISTS', pair, 'applied') end
if pending >= L.pending_per_pair then return -1 end
if mode == 'unsubscribe' and pending == 0 and redis.call('HEXISTS', index_key(sid), sid) == 0 then return 0 end
local t = redis.call('HMGET', topic_key(topic), 'url', 'has_baseline')
if not t[1] then make_topic(topic, key, url) end
redis.call('HINCRBY', topic_key(topic), 'pending', 1)
local n = number()
redis.call('HSET', P .. 'request:' .. n, 'mode', mode, 'topic', topic, 'sid', sid, 'url', url, 'callback', ARGV[6],
  'secret', ARGV[7], 'lease_s', ARGV[8], 'signature', ARGV[11], 'content', ARGV[12], 'accepted_at', NOW, 'tries', 0)
if ARGV[10] == '1' then redis.call('HSET', P .. 'request:' .. n, 'verify_token', ARGV[9]) end
redis.call('ZADD', P .. 'requests', n, n)
redis.call('HSET', pair, n, mode .. ':' .. string.format('%.0f', NOW))
-- Of a number that was just drawn there is no claim and no time.
set_time(UNVERIFIED, n, NOW + L.verify_after)
if mode == 'subscribe' and not t[2] then
  redis.call('HSET', topic_key(topic), 'fetch_at', NOW)
  add(PINGED, topic, NOW)
end
return n
