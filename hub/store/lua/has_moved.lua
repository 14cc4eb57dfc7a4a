-- has_moved(topic_id, bucket, token): 1 where something was added to a claimed bucket since its claim, or the claim has lapsed.
--! clock worklist progress origin bucket
local claim = claim_held(ready_list(ARGV[1]), ARGV[2], ARGV[3])
return (not claim or claim.moved) and 1 or 0
