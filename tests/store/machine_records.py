"""What a random walk over the protocol has done, and how it looks at the records."""

import itertools
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from hub.protocol.urls import subscription_id, topic_id
from hub.store.buckets import BucketClaim
from hub.store.limits import Limits
from hub.store.outcomes import Outcome
from hub.store.requests import RequestClaim
from hub.store.topics import TopicClaim
from tests.store.world import Model, ModelClaim, World

TOPICS = ["http://t.example/a", "http://t.example/b"]
CALLBACKS = [f"http://s{number % 2}.example/{number}" for number in range(5)]
ORIGINS = ["http://s0.example", "http://s1.example"]
PAIRS = list(itertools.product(TOPICS, CALLBACKS))
LIMITS = Limits(
    bucket_size=2, buckets_per_topic=1, sweep_slice=1, repair_slice=1, trim_slice=2, slice=4,
    history_events=4, fetch_burst=100_000, claim_steps=200, probe_longest=60_000,
    probe_spacing=40_000, probe_most=300_000, probe_buckets=100, release_most=2,
)  # fmt: skip
ALL = 10_000

_times = st.sampled_from([0, 1, 60, 1_000, 9_000, 30_001, 600_000, 3_700_000])
_runs = itertools.count()


class Records(RuleBasedStateMachine):
    """The world, the model, and what workers hold; time that passes, workers that die."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.url, f"model{next(_runs)}", LIMITS)
        self.model = Model(limits=LIMITS)
        self.requests_held: list[tuple[int, RequestClaim, ModelClaim]] = []
        self.fetches_held: list[tuple[int, TopicClaim, ModelClaim]] = []
        self.buckets_held: list[tuple[int, BucketClaim, ModelClaim]] = []
        self.late: list[tuple[int, BucketClaim, Outcome, tuple[str, str]]] = []
        self.bucket_claims: dict[tuple[str, int], ModelClaim] = {}
        self.placed: dict[tuple[str, str], int] = {}
        self.last_event = (0, 0)
        self.clock_went_back = False
        self.incarnations: dict[tuple[str, str], int] = {}

    @rule(ms=_times)
    def time_passes(self, ms: int) -> None:
        self.world.set_time(self.world.now + ms)

    @rule(ms=st.sampled_from([1, 2_000, 2_001, 3_600_000]))
    def clock_goes_back(self, ms: int) -> None:
        self.world.set_time(self.world.now - ms)
        self.clock_went_back = True

    @rule(worker=st.integers(0, 1))
    def worker_dies(self, worker: int) -> None:
        self.requests_held = [held for held in self.requests_held if held[0] != worker]
        self.fetches_held = [held for held in self.fetches_held if held[0] != worker]
        self.buckets_held = [held for held in self.buckets_held if held[0] != worker]
        self.late = [held for held in self.late if held[0] != worker]

    def _end_if_active(self, pair: tuple[str, str]) -> None:
        if pair in self.model.slots and self.model.slots[pair].is_active:
            now = self.world.now
            self.model.end(pair, is_bucket_claimed=self._is_bucket_claimed(pair), now=now)

    def _is_bucket_claimed(self, pair: tuple[str, str]) -> bool:
        claim = self.bucket_claims.get((pair[0], self.placed[pair]))
        return self.model.stands(claim, self.world.now)

    def _observe(self) -> None:
        """Takes over what claims may do in passing: end leases, and purge ended slots."""
        now = self.world.now
        stored = self._stored()
        for place, claim in list(self.bucket_claims.items()):
            # One that does not stand, since the clock went back, may be forgotten before it would.
            claims = f"{self.world.prefix}ready:{topic_id(place[0])}:claims"
            found = self.world.redis.hget(claims, str(place[1])) or b""
            if not self.model.stands(claim, now) and claim.token.encode() not in found:
                del self.bucket_claims[place]
        for pair, slot in list(self.model.slots.items()):
            in_roster, in_progress = stored.get(pair, (None, None))
            if slot.is_active and in_roster is None and self.model.is_lease_over(pair, now):
                assert not self._is_bucket_claimed(pair) or in_progress is not None
                self.model.end(pair, is_bucket_claimed=in_progress is not None, now=now)
            elif not slot.is_active and in_progress is None:
                assert not self.model.is_in_flight(slot, now), "a slot in flight was purged"
                assert not self._is_bucket_claimed(pair), "a claimed slot was purged"
                del self.model.slots[pair]

    def _stored(self) -> dict[tuple[str, str], tuple[Any, Any]]:
        """Roster and progress of each pair that has a slot, by way of the index."""
        redis, prefix, stored = self.world.redis, self.world.prefix, {}
        for topic, callback in PAIRS:
            sid = subscription_id(topic, callback)
            shard = f"{prefix}index:{sid[0] * 16 + sid[1] // 16:03x}"
            bucket = redis.hget(shard, sid)
            if bucket is not None:
                place = f"{topic_id(topic)}.{bucket.decode()}"
                roster = redis.hget(f"{prefix}roster:{place}", sid)
                progress = redis.hget(f"{prefix}progress:{place}", sid)
                assert progress is not None
                stored[topic, callback] = (roster, progress)
                self.placed[topic, callback] = int(bucket)
        return stored
