"""Leases that end and repairs, in a random walk over the protocol."""

from hypothesis.stateful import rule

from tests.store.machine_fetches import Fetches
from tests.store.machine_records import ALL, LIMITS
from tests.store.world import ModelTopic


class Upkeep(Fetches):
    """What workers do beside, each for all."""

    @rule()
    def expire(self) -> None:
        now = self.world.now
        ended = self.world.run(self.world.workers[0].buckets.expire(limit=ALL)).claims
        for pair in ended:
            assert self.model.is_lease_over(pair, now), "a lease ended too early"
            self.model.end(pair, is_bucket_claimed=self._is_bucket_claimed(pair), now=now)
        if not self.clock_went_back:
            over = [
                pair
                for pair, slot in self.model.slots.items()
                if slot.is_active and self.model.is_lease_over(pair, now)
                and now >= slot.lease_end + LIMITS.renewal_wait
            ]  # fmt: skip
            assert not over, "a lease did not end"

    @rule()
    def repair(self) -> None:
        missing = self._repair()
        assert missing == 0 or self.clock_went_back, "something was not queued"
        self.clock_went_back = False

    def _repair(self) -> int:
        async def run() -> int:
            return sum([missing async for missing in self.world.workers[0].repair.run()])

        missing = self.world.run(run())
        now = self.world.now
        for request in self.model.requests.values():
            if not self.model.stands(request.claim, now):
                is_ahead = request.claim is not None and request.at > now
                request.claim = None
                if is_ahead or request.at > now + LIMITS.longest_verify_wait:
                    request.at = now
        for breaker in self.model.breakers.values():
            if breaker.at > now + self.model.longest_look(breaker) + LIMITS.clock_slack:
                breaker.at = now
        for state in self.model.topics.values():
            self._repair_fetch(state)
            self._trim(state)
        return missing

    def _repair_fetch(self, state: ModelTopic) -> None:
        """What a clock that went back left far ahead falls due; nothing else should change."""
        now = self.world.now
        if not self.model.stands(state.claim, now):
            is_ahead = state.claim is not None and (state.fetch_at or 0) > now
            state.claim = None
            if is_ahead or (state.fetch_at or 0) > now + LIMITS.longest_fetch_wait:
                state.fetch_at = now
            if state.fetch_at is not None and max(state.last_ping, state.fetched_at or 0) > now:
                state.fetch_at, state.last_ping = min(state.fetch_at, now), now
