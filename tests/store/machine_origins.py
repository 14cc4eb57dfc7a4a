"""Probes and releases, and ends past patience, in a random walk over the protocol."""

import hypothesis.strategies as st
from hypothesis.stateful import precondition, rule

from hub.store.outcomes import Outcome
from tests.store.machine_deliveries import FATES, Deliveries
from tests.store.machine_records import ALL, LIMITS


class Origins(Deliveries):
    """What is due of breakers, and the ends that come late."""

    @rule(worker=st.integers(0, 1))
    def claim_probes(self, worker: int) -> None:
        now = self.world.now
        due = [origin for origin, b in self.model.breakers.items() if b.at <= now]
        fit = {
            origin for origin in due for pair in self._fit_to_probe(origin)
            if self.model.breakers[origin].is_open and self._waits(pair)
            and not self._is_bucket_claimed(pair)
        }  # fmt: skip
        claims = self.world.run(self.world.workers[worker].origins.claim(budget=ALL)).claims
        self._observe()
        # A bucket in which one probes is claimed, and so nobody else of it can.
        taken = {(claim.topic, claim.bucket) for claim in claims}
        for claim in claims:
            self._take_bucket(worker, claim)
        probed = {claim.probe.origin for claim in claims if claim.probe is not None}
        assert probed <= set(due)
        longest = self.model.longest_probe_wait()
        for origin in due:
            if origin in fit - probed:
                pairs = [p for p in self._fit_to_probe(origin) if self._waits(p)]
                assert all((p[0], self.placed[p]) in taken for p in pairs), "nobody probed"
            self._look_at_breaker(origin, is_probed=origin in probed, longest=longest)

    def _look_at_breaker(self, origin: str, *, is_probed: bool, longest: int) -> None:
        """When it is looked at again, or that it is gone as nobody waits."""
        breaker, now, redis = self.model.breakers[origin], self.world.now, self.world.redis
        at = redis.zscore(f"{self.world.prefix}wl:origins", origin)
        if at is None:
            assert not redis.exists(f"{self.world.prefix}waits:{origin}")
            del self.model.breakers[origin]
        elif breaker.is_open and not is_probed:
            assert now < at <= now + longest
            breaker.probe, breaker.at = 0, int(at)
        elif not breaker.is_open:
            breaker.at = now + LIMITS.release_interval

    @precondition(lambda self: self.late)
    @rule(
        data=st.data(),
        name=st.sampled_from(["reached", "left", "missed", "down", "failing"]),
    )
    def a_late_answer_comes(self, data: st.DataObject, name: str) -> None:
        index = data.draw(st.integers(0, len(self.late) - 1))
        worker, claim, left, pair = self.late.pop(index)
        fate = FATES[name](claim.head)
        assert fate is not None
        outcome = Outcome(
            subscription_id=left.subscription_id, incarnation=left.incarnation,
            attempt=left.attempt, fate=fate,
        )  # fmt: skip
        buckets = self.world.workers[worker].buckets
        settled = self.world.run(buckets.settle_late(claim.topic_id, claim.bucket, [outcome]))
        slot = self.model.slots.get(pair)
        # A subscription that was purged and came back may lie in another bucket.
        is_there = slot is not None and self.placed.get(pair) == claim.bucket
        stands = is_there and slot is not None and bool(slot.flight_until)
        stands = stands and slot is not None and slot.attempt == left.attempt
        assert settled.written == int(stands)
        if stands:
            is_claimed = self._is_bucket_claimed(pair)
            now, is_counted = self.world.now, True
            if self.model.slots[pair].is_active:
                is_counted = self.model.judge_late(pair, outcome, now)
            if is_counted:
                self._settle_member(pair, outcome, is_bucket_claimed=is_claimed)
            else:
                self.model.slots[pair].flight_until = self.model.slots[pair].attempt = 0
            slot = self.model.slots.get(pair)
            if slot is not None and not slot.is_active and not is_claimed:
                del self.model.slots[pair]
