"""The whole protocol of design section 3 against a plain model.

Workers that die, pause and come back, a clock that jumps, requests, events, answers and leases in
any order: a machine in layers, of which each `machine_*.py` beside is one.
"""

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis.stateful import initialize, precondition, rule

from hub.protocol.requests import Mode
from hub.protocol.urls import topic_id
from hub.store.event_id import EventId
from hub.store.log import WholeEvent
from hub.store.outcomes import Outcome, Reached
from hub.store.progress import unpack_progress
from hub.store.requests import Verdict
from hub.store.topics import FetchOutcome, FetchRecord
from tests.store.machine_deliveries import fates
from tests.store.machine_invariants import Invariants
from tests.store.machine_records import ALL, LIMITS, PAIRS, TOPICS


class ProtocolOfRecords(Invariants):
    """Adds what a random walk would seldom come to, and that all catch up in the end."""

    @initialize(is_under_way=st.booleans())
    def start(self, is_under_way: bool) -> None:
        if is_under_way:
            self.everybody_subscribes()
            self.every_topic_has_news()

    def teardown(self) -> None:
        try:
            self.everything_behind_catches_up()
        finally:
            self.world.close()

    def everybody_subscribes(self) -> None:
        for pair in PAIRS:
            self.request(pair, Mode.SUBSCRIBE, b"", 864_000)
        self._fetch_all()
        self.time_passes(LIMITS.verify_after)
        self.claim_requests(0)
        while self.requests_held:
            self._settle_request(0, Verdict.CONFIRMED)

    @rule()
    def every_topic_has_news(self) -> None:
        for topic in TOPICS:
            self.ping(topic)
        self._fetch_all()

    @rule(worker=st.integers(0, 1), name=fates)
    def all_go_one_way(self, worker: int, name: str) -> None:
        self.claim_buckets(worker, ALL)
        self._settle_all(name)

    @precondition(lambda self: self.model.breakers)
    @rule(worker=st.integers(0, 1), name=fates)
    def the_next_probe_goes_one_way(self, worker: int, name: str) -> None:
        at = min(breaker.at for breaker in self.model.breakers.values())
        self.time_passes(max(0, at - self.world.now))
        self.claim_probes(worker)
        self._settle_all(name)

    def _settle_all(self, name: str) -> None:
        while self.buckets_held:
            self._settle_bucket(0, [name] * len(self.buckets_held[0][1].members))

    def _fetch_all(self) -> None:
        self.claim_fetches(0)
        while self.fetches_held:
            self._append(0, FetchOutcome.NEWS, is_bucket_wanted=False, self_url=None)

    def everything_behind_catches_up(self) -> None:
        """With one worker that lives and receivers that answer, nothing stays behind."""
        store = self.world.workers[1]
        self._repair()
        for _ in range(60):
            self.world.set_time(self.world.now + 31_000)
            for request in self.world.run(store.requests.claim(limit=ALL)).claims:
                self.world.run(store.requests.settle(request, Verdict.REFUSED))
            for fetch in self.world.run(store.topics.claim(limit=ALL)).claims:
                record = FetchRecord(
                    outcome=FetchOutcome.NEWS, event=WholeEvent(content_type="text/plain"),
                    body=b"body",
                )  # fmt: skip
                self.world.run(store.topics.append(fetch, record, is_bucket_wanted=False))
            probes = self.world.run(store.origins.claim(budget=ALL)).claims
            for claim in [*probes, *self.world.run(store.buckets.claim(budget=ALL)).claims]:
                outcomes = [
                    Outcome(
                        subscription_id=member.subscription_id, attempt=claim.attempt,
                        incarnation=member.progress.incarnation, fate=Reached(to=claim.head),
                    )
                    for member in claim.members
                ]  # fmt: skip
                assert self.world.run(store.buckets.settle(claim, outcomes))
            self.world.run(store.buckets.expire(limit=ALL))
        self._assert_nobody_is_behind()

    def _assert_nobody_is_behind(self) -> None:
        redis, prefix = self.world.redis, self.world.prefix
        for pair, (roster, raw) in self._stored().items():
            head = redis.hget(f"{prefix}t:{topic_id(pair[0])}", "head")
            progress = unpack_progress(raw)
            note(f"{pair} {progress} head {head!r}")
            waits = progress.attempts and progress.hold_until_ms > self.world.now
            assert roster is not None
            assert waits or progress.cursor >= EventId.parse(head), "somebody stays behind"
        assert redis.zcard(f"{prefix}requests") == 0


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_every_interleaving_leaves_the_records_as_the_model_says(redis_url: str) -> None:
    ProtocolOfRecords.url = redis_url
    case = ProtocolOfRecords.TestCase
    case.settings = settings(
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
    )
    case().runTest()
