"""The whole protocol of design section 3 against a plain model.

Workers that die, pause and come back, a clock that jumps, requests, events, answers and leases in
any order.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hub.protocol.requests import Mode, SignatureMethod, SubscriptionRequest
from hub.protocol.urls import subscription_id, topic_id
from hub.store.buckets import BucketClaim
from hub.store.event_id import EventId
from hub.store.limits import Limits
from hub.store.log import WholeEvent
from hub.store.outcomes import Blame, Fate, Left, Missed, Outcome, Pending, Reached
from hub.store.progress import unpack_progress
from hub.store.requests import Effect, RequestClaim, Verdict
from hub.store.results import Accepted, TooManyPending
from hub.store.subscription import unpack_subscription
from hub.store.topics import FetchOutcome, FetchRecord, Lapsed, TopicClaim
from tests.store.world import (
    Model,
    ModelClaim,
    ModelRequest,
    ModelSubscription,
    ModelTopic,
    World,
    origin_of,
)

TOPICS = ["http://t.example/a", "http://t.example/b"]
CALLBACKS = [f"http://s{number % 2}.example/{number}" for number in range(5)]
ORIGINS = ["http://s0.example", "http://s1.example"]
PAIRS = list(itertools.product(TOPICS, CALLBACKS))
LIMITS = Limits(
    bucket_size=2, buckets_per_topic=1, sweep_slice=1, repair_slice=1, trim_slice=2, slice=4,
    history_events=4, fetch_burst=100_000, claim_steps=200, probe_longest=300_000,
    probe_longest_failing=60_000, probe_buckets=100, release_most=2,
)  # fmt: skip
ALL = 10_000
RECHECK_MS, RETRY_MS = (10_000, 60_000), 10_000

times = st.sampled_from([0, 1, 60, 1_000, 9_000, 30_001, 600_000, 3_700_000])
fates = st.sampled_from(
    [*["reached"] * 3, "left", "missed", "held", "pending", "untried", *["down"] * 2, "failing"]
)


class ProtocolOfRecords(RuleBasedStateMachine):
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
        self.rests: dict[tuple[str, int], int] = {}
        self.clock_went_back = False

    def teardown(self) -> None:
        try:
            self.everything_behind_catches_up()
        finally:
            self.world.close()

    # What a random walk would seldom come to

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
            self._settle_bucket(0, [name] * len(self.buckets_held[0][1].members), rests=False)

    def _fetch_all(self) -> None:
        self.claim_fetches(0)
        while self.fetches_held:
            self._append(0, FetchOutcome.NEWS, is_bucket_wanted=False, self_url=None)

    # Time and workers

    @rule(ms=times)
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

    # Requests

    @rule(
        pair=st.sampled_from(PAIRS),
        mode=st.sampled_from([Mode.SUBSCRIBE, Mode.SUBSCRIBE, Mode.UNSUBSCRIBE]),
        secret=st.sampled_from([b"", b"s\x00\xff", b"x" * 199]),
        lease_s=st.sampled_from([1, 30, 3600, 864_000]),
    )
    def request(self, pair: tuple[str, str], mode: Mode, secret: bytes, lease_s: int) -> None:
        topic, callback = pair
        answer = self.world.run(
            self.world.workers[0].accept(
                SubscriptionRequest(
                    mode=mode,
                    topic=topic,
                    callback=callback,
                    secret=secret,
                    lease_s=lease_s,
                    verify_token=None,
                    signature=SignatureMethod.SHA256,
                    content=None,
                )
            )
        )
        pending = self.model.pending(pair)
        if len(pending) >= LIMITS.pending_per_pair:
            assert isinstance(answer, TooManyPending)
            return
        assert isinstance(answer, Accepted)
        if mode is Mode.UNSUBSCRIBE and not pending and pair not in self.model.slots:
            assert answer.number is None
            return
        assert answer.number is not None
        assert all(answer.number > number for number in self.model.requests)
        now = self.world.now
        self.model.requests[answer.number] = ModelRequest(
            number=answer.number, mode=mode.value, pair=pair, secret=secret, lease_s=lease_s,
            accepted_at=now, at=now + LIMITS.verify_after,
        )  # fmt: skip
        state = self.model.topics.setdefault(topic, ModelTopic())
        if mode is Mode.SUBSCRIBE and not state.has_baseline:
            self._add_fetch(state)

    @rule(worker=st.integers(0, 1))
    def claim_requests(self, worker: int) -> None:
        now = self.world.now
        expected = {}
        for request in self.model.requests.values():
            if request.at > now:
                continue
            waited = now - request.accepted_at
            if self.model.must_wait(request, now):
                request.claim = None
                request.at = now + min(1000, max(20, waited))
            else:
                expected[request.number] = request
        claims = self.world.run(self.world.workers[worker].requests.claim(limit=ALL)).claims
        assert {claim.number for claim in claims} == set(expected)
        for claim in claims:
            request = expected[claim.number]
            assert (claim.topic, claim.callback) == request.pair
            held = ModelClaim(token=claim.token, ends=now + LIMITS.claim_lease)
            request.claim, request.at, request.claimed_at = held, held.ends, now
            request.start = self.model.topics[claim.topic].head
            self.requests_held.append((worker, claim, held))

    @precondition(lambda self: self.requests_held)
    @rule(data=st.data(), verdict=st.sampled_from([*Verdict, Verdict.CONFIRMED, None]))
    def settle_request(self, data: st.DataObject, verdict: Verdict | None) -> None:
        self._settle_request(data.draw(st.integers(0, len(self.requests_held) - 1)), verdict)

    def _settle_request(self, index: int, verdict: Verdict | None) -> None:
        worker, claim, held = self.requests_held.pop(index)
        requests, now = self.world.workers[worker].requests, self.world.now
        if verdict is None:
            effect = self.world.run(requests.try_again(claim, delay_ms=5_000))
        else:
            effect = self.world.run(requests.settle(claim, verdict))
        request = self.model.requests.get(claim.number)
        if request is None or request.claim is not held or not self.model.stands(held, now):
            assert effect is Effect.LAPSED
        elif verdict is None:
            assert effect is Effect.AGAIN
            request.claim, request.at = None, now + 5_000
        else:
            self._apply(request, verdict, effect)

    def _apply(self, request: ModelRequest, verdict: Verdict, effect: Effect) -> None:
        pair = request.pair
        is_newest = self.model.applied.get(pair, 0) <= request.number
        if verdict is not Verdict.CONFIRMED:
            assert effect is Effect.FINISHED
            if verdict is Verdict.DENIED and is_newest:
                self._end_if_active(pair)
        elif self.model.applied.get(pair, 0) > request.number:
            assert effect is Effect.SUPERSEDED
        else:
            assert effect is Effect.APPLIED
            self.model.applied[pair] = request.number
            if request.mode == "subscribe":
                self._confirm(request)
            else:
                self._end_if_active(pair)
        self.model.close_request(request)

    def _end_if_active(self, pair: tuple[str, str]) -> None:
        if pair in self.model.slots and self.model.slots[pair].is_active:
            now = self.world.now
            self.model.end(pair, is_bucket_claimed=self._is_bucket_claimed(pair), now=now)

    def _confirm(self, request: ModelRequest) -> None:
        slot = self.model.slots.get(request.pair)
        lease_end = request.claimed_at + request.lease_s * 1000
        if slot is not None and slot.is_active:
            slot.secret, slot.lease_end = request.secret, lease_end
            return
        flight = (slot.flight_until, slot.attempt) if slot is not None else (0, 0)
        self.model.slots[request.pair] = ModelSubscription(
            is_active=True, secret=request.secret, lease_end=lease_end, cursor=request.start,
            flight_until=flight[0], attempt=flight[1],
        )  # fmt: skip

    # Pings and fetches

    @rule(topic=st.sampled_from(TOPICS))
    def ping(self, topic: str) -> None:
        moved = self.world.run(self.world.workers[0].topics.ping(topic))
        states = self.model.pinged(topic)
        assert moved == len(states)
        for state in states:
            state.recheck, state.last_ping = 0, self.world.now
            self._add_fetch(state)

    def _add_fetch(self, state: ModelTopic) -> None:
        now = self.world.now
        if state.claim is not None and self.model.stands(state.claim, now):
            state.claim.is_moved = True
            return
        state.claim = None
        state.fetch_at = now if state.fetch_at is None else min(state.fetch_at, now)

    @rule(worker=st.integers(0, 1))
    def claim_fetches(self, worker: int) -> None:
        now = self.world.now
        expected = {
            url
            for url, state in self.model.topics.items()
            if state.fetch_at is not None and state.fetch_at <= now
        }
        claims = self.world.run(self.world.workers[worker].topics.claim(limit=ALL)).claims
        assert {claim.url for claim in claims} == expected
        for claim in claims:
            held = ModelClaim(token=claim.token, ends=now + LIMITS.claim_lease)
            state = self.model.topics[claim.url]
            state.claim, state.fetch_at = held, held.ends
            assert claim.has_baseline == state.has_baseline
            self.fetches_held.append((worker, claim, held))

    @precondition(lambda self: self.fetches_held)
    @rule(
        data=st.data(),
        outcome=st.sampled_from([FetchOutcome.NEWS, FetchOutcome.NEWS, *FetchOutcome]),
        is_bucket_wanted=st.booleans(),
        self_url=st.sampled_from([*TOPICS, "http://t.example/unknown", None]),
    )
    def settle_fetch(
        self,
        data: st.DataObject,
        outcome: FetchOutcome,
        is_bucket_wanted: bool,
        self_url: str | None,
    ) -> None:
        index = data.draw(st.integers(0, len(self.fetches_held) - 1))
        self._append(index, outcome, is_bucket_wanted=is_bucket_wanted, self_url=self_url)

    def _append(
        self, index: int, outcome: FetchOutcome, *, is_bucket_wanted: bool, self_url: str | None
    ) -> None:
        worker, claim, held = self.fetches_held.pop(index)
        state, now = self.model.topics.get(claim.url), self.world.now
        is_first = not claim.has_baseline
        if outcome is FetchOutcome.SAME and is_first:
            outcome = FetchOutcome.NEWS
        record = FetchRecord(
            outcome=outcome,
            facts={"self_key": topic_id(self_url) if self_url else ""},
            event=WholeEvent(content_type="text/plain") if outcome is FetchOutcome.NEWS else None,
            body=b"body" if outcome is FetchOutcome.NEWS else None,
            recheck_ms=RECHECK_MS,
            retry_ms=RETRY_MS,
        )
        answer = self.world.run(
            self.world.workers[worker].topics.append(
                claim, record, is_bucket_wanted=is_bucket_wanted
            )
        )
        if state is None or state.claim is not held or not self.model.stands(held, now):
            assert isinstance(answer, Lapsed)
            return
        assert not isinstance(answer, Lapsed)
        is_event = self._settle_fetch(claim.url, state, held, outcome)
        if outcome is not FetchOutcome.RELEASED:
            state.self_url = self_url
        assert (answer.event_id is not None) == is_event
        if answer.event_id is not None:
            assert answer.event_id > self.last_event
            self.last_event = answer.event_id
            state.events.append(answer.event_id)
            self._trim(state)
        if answer.bucket is not None:
            assert is_bucket_wanted
            self._observe()
            self._take_bucket(worker, answer.bucket)

    def _settle_fetch(
        self, url: str, state: ModelTopic, held: ModelClaim, outcome: FetchOutcome
    ) -> bool:
        now, is_event, delay = self.world.now, False, None
        if outcome is FetchOutcome.RELEASED:
            state.claim, state.fetch_at = None, now if held.is_moved else now + RETRY_MS
            return False
        state.fetched_at = now
        if outcome is FetchOutcome.FAILED:
            delay = RETRY_MS
        else:
            has_reader = any(p[0] == url and s.is_active for p, s in self.model.slots.items())
            is_silent = not state.has_baseline and not has_reader
            state.has_baseline = True
            is_event = outcome is FetchOutcome.NEWS and not is_silent
            if outcome is FetchOutcome.SAME and state.recheck < 2:
                delay = RECHECK_MS[state.recheck]
                state.recheck += 1
            if held.is_moved:
                state.recheck = 0
            elif outcome is FetchOutcome.NEWS:
                state.recheck = 2
        state.claim = None
        state.fetch_at = now + delay if delay is not None else None
        if held.is_moved:
            state.fetch_at = now
        return is_event

    def _trim(self, state: ModelTopic) -> None:
        oldest = self.world.now - LIMITS.history_age
        for _ in range(LIMITS.trim_slice):
            if not state.events:
                return
            if len(state.events) > LIMITS.history_events or state.events[0][0] < oldest:
                state.trimmed_to = state.events.pop(0)

    # Deliveries

    @rule(worker=st.integers(0, 1), budget=st.sampled_from([1, 2, ALL]))
    def claim_buckets(self, worker: int, budget: int) -> None:
        claims = self.world.run(self.world.workers[worker].buckets.claim(budget=budget)).claims
        self._observe()
        for claim in claims:
            self._take_bucket(worker, claim)
        if budget == ALL and not self.clock_went_back:
            now = self.world.now
            idle = [
                pair
                for pair in self._due_pairs()
                if not self._is_bucket_claimed(pair) and self._rests_until(pair) <= now
                and not self._waits(pair)
            ]  # fmt: skip
            assert not idle, "somebody due was not claimed"

    def _take_bucket(self, worker: int, claim: BucketClaim) -> None:
        now, place = self.world.now, (claim.topic, claim.bucket)
        assert not self.model.stands(self.bucket_claims.get(place), now), "claimed twice"
        due = {p for p in self._due_pairs() if (p[0], self.placed[p]) == place}
        if claim.probe is not None:
            due.add(self._take_probe(claim))
        members = {(claim.topic, member.subscription.callback): member for member in claim.members}
        assert set(members) == due, "the wrong members"
        assert claim.head == self.model.topics[claim.topic].head
        for pair, member in members.items():
            slot = self.model.slots[pair]
            assert member.progress.cursor == slot.cursor
            assert member.subscription.secret == slot.secret
            slot.flight_until = slot.attempt = 0
            slot.incarnation = member.progress.incarnation
        held = ModelClaim(token=claim.token, ends=now + LIMITS.claim_lease)
        self.bucket_claims[place] = held
        self.buckets_held.append((worker, claim, held))
        slices = self.world.run(
            self.world.workers[worker].log.read(
                claim.topic_id, after=min(m.progress.cursor for m in claim.members), to=claim.head
            )
        )
        state = self.model.topics[claim.topic]
        after = min(member.progress.cursor for member in claim.members)
        assert slices.trimmed_to == state.trimmed_to
        assert [id_ for id_, _ in slices.events] == [e for e in state.events if e > after]

    def _take_probe(self, claim: BucketClaim) -> tuple[str, str]:
        """One of those in the bucket that are held and would be due, with the fewest failures."""
        assert claim.probe is not None
        now, origin = self.world.now, claim.probe.origin
        (pair,) = [
            (claim.topic, member.subscription.callback) for member in claim.members
            if member.subscription_id == claim.probe.subscription_id
        ]  # fmt: skip
        breaker = self.model.breakers[origin]
        assert breaker.is_open
        assert breaker.at <= now, "a second probe"
        fit = [p for p in self._fit_to_probe(origin) if self.placed[p] == claim.bucket]
        fit = [p for p in fit if p[0] == claim.topic]
        assert pair in fit
        slots = self.model.slots
        assert slots[pair].attempts == min(slots[p].attempts for p in fit)
        breaker.probe, breaker.at = claim.attempt, now + LIMITS.claim_lease
        return pair

    def _fit_to_probe(self, origin: str) -> list[tuple[str, str]]:
        now = self.world.now
        return [
            pair for pair, slot in self.model.slots.items()
            if slot.is_active and origin_of(pair) == origin
            and not self.model.is_lease_over(pair, now)
            and (at := self.model.due_at(pair, now)) is not None and at <= now
        ]  # fmt: skip

    def _waits(self, pair: tuple[str, str]) -> bool:
        """Whether its bucket waits for its origin."""
        waits = f"{self.world.prefix}waits:{origin_of(pair)}"
        place = f"{topic_id(pair[0])}.{self.placed[pair]}"
        return self.world.redis.zscore(waits, place) is not None

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
        for origin in due:
            if origin in fit - probed:
                pairs = [p for p in self._fit_to_probe(origin) if self._waits(p)]
                assert all((p[0], self.placed[p]) in taken for p in pairs), "nobody probed"
            self._look_at_breaker(origin, is_probed=origin in probed)

    def _look_at_breaker(self, origin: str, *, is_probed: bool) -> None:
        """When it is looked at again, or that it is gone as nobody waits."""
        breaker, now, redis = self.model.breakers[origin], self.world.now, self.world.redis
        at = redis.zscore(f"{self.world.prefix}wl:origins", origin)
        if at is None:
            assert not redis.exists(f"{self.world.prefix}waits:{origin}")
            del self.model.breakers[origin]
        elif breaker.is_open and not is_probed:
            assert now < at <= now + LIMITS.probe_longest_failing
            breaker.probe, breaker.at = 0, int(at)
        elif not breaker.is_open:
            breaker.at = now + LIMITS.release_interval

    def _rests_until(self, pair: tuple[str, str]) -> int:
        """Until when a bucket may wait whose host was too busy."""
        return self.rests.get((pair[0], self.placed[pair]), 0)

    def _due_pairs(self) -> set[tuple[str, str]]:
        now = self.world.now
        due = set()
        for pair, slot in self.model.slots.items():
            at = self.model.due_at(pair, now) if slot.is_active else None
            is_over = self.model.is_lease_over(pair, now) or self.model.is_held(pair)
            if at is not None and at <= now and not is_over:
                due.add(pair)
        return due

    @precondition(lambda self: self.buckets_held)
    @rule(data=st.data(), rests=st.booleans())
    def settle_bucket(self, data: st.DataObject, rests: bool) -> None:
        index = data.draw(st.integers(0, len(self.buckets_held) - 1))
        drawn = [data.draw(fates) for _ in self.buckets_held[index][1].members]
        self._settle_bucket(index, drawn, rests=rests)

    def _settle_bucket(self, index: int, drawn: Sequence[str], *, rests: bool) -> None:
        worker, claim, held = self.buckets_held.pop(index)
        outcomes = [
            Outcome(
                subscription_id=member.subscription_id, incarnation=member.progress.incarnation,
                attempt=claim.attempt, fate=fate,
            )
            for member, name in zip(claim.members, drawn, strict=True)
            if (fate := _fate(name, claim.head)) is not None
        ]  # fmt: skip
        buckets = self.world.workers[worker].buckets
        stood = self.world.run(buckets.settle(claim, outcomes, rests=rests))
        place, now = (claim.topic, claim.bucket), self.world.now
        stands = self.bucket_claims.get(place) is held and self.model.stands(held, now)
        assert stood == stands, "a claim that has ended did something"
        callbacks = {m.subscription_id: m.subscription.callback for m in claim.members}
        for outcome in outcomes:
            pair = (claim.topic, callbacks[outcome.subscription_id])
            if isinstance(outcome.fate, Pending):
                self.late.append((worker, claim, outcome, pair))
            if stands:
                self._settle_judged(claim, pair, outcome)
        if stands:
            self._make_up_for_probe(claim)
            del self.bucket_claims[place]
            self.rests[place] = now + LIMITS.rest if rests else 0
            for pair in [p for p, k in self.placed.items() if (p[0], k) == place]:
                slot = self.model.slots.get(pair)
                if slot and not slot.is_active and not self.model.is_in_flight(slot, now):
                    del self.model.slots[pair]

    def _settle_judged(self, claim: BucketClaim, pair: tuple[str, str], outcome: Outcome) -> None:
        slot, probe = self.model.slots[pair], claim.probe
        is_probe = probe is not None and outcome.subscription_id == probe.subscription_id
        is_counted = True
        if slot.is_active or is_probe:
            is_counted = self.model.judge_origin(pair, outcome, self.world.now, is_probe=is_probe)
        if is_counted:
            self._settle_member(pair, outcome, is_bucket_claimed=True)
        else:
            slot.flight_until = slot.attempt = 0

    def _make_up_for_probe(self, claim: BucketClaim) -> None:
        """A probe that was not sent is sent soon."""
        if claim.probe is None:
            return
        breaker = self.model.breakers.get(claim.probe.origin)
        is_pending = any(
            held.attempt == claim.attempt and held.subscription_id == claim.probe.subscription_id
            for _, _, held, _ in self.late
        )
        if breaker is not None and breaker.probe == claim.attempt and not is_pending:
            breaker.probe, breaker.at = 0, self.world.now + LIMITS.rest

    @precondition(lambda self: self.late)
    @rule(
        data=st.data(),
        name=st.sampled_from(["reached", "left", "missed", "down", "failing"]),
    )
    def a_late_answer_comes(self, data: st.DataObject, name: str) -> None:
        index = data.draw(st.integers(0, len(self.late) - 1))
        worker, claim, left, pair = self.late.pop(index)
        fate = _fate(name, claim.head)
        assert fate is not None
        outcome = Outcome(
            subscription_id=left.subscription_id, incarnation=left.incarnation,
            attempt=left.attempt, fate=fate,
        )  # fmt: skip
        buckets = self.world.workers[worker].buckets
        written = self.world.run(buckets.settle_late(claim.topic_id, claim.bucket, [outcome]))
        slot = self.model.slots.get(pair)
        # A subscription that was purged and came back may lie in another bucket.
        is_there = slot is not None and self.placed.get(pair) == claim.bucket
        stands = is_there and slot is not None and bool(slot.flight_until)
        stands = stands and slot is not None and slot.attempt == left.attempt
        assert written == int(stands)
        if stands:
            is_claimed = self._is_bucket_claimed(pair)
            now, is_counted = self.world.now, True
            if self.model.slots[pair].is_active:
                is_counted = self.model.judge_origin(pair, outcome, now, is_probe=True)
            if is_counted:
                self._settle_member(pair, outcome, is_bucket_claimed=is_claimed)
            else:
                self.model.slots[pair].flight_until = self.model.slots[pair].attempt = 0
            slot = self.model.slots.get(pair)
            if slot is not None and not slot.is_active and not is_claimed:
                del self.model.slots[pair]

    def _settle_member(
        self, pair: tuple[str, str], outcome: Outcome, *, is_bucket_claimed: bool
    ) -> None:
        slot, now = self.model.slots[pair], self.world.now
        is_same = self._incarnation(pair) == outcome.incarnation
        match outcome.fate:
            case Pending(to=to, remaining_ms=remaining_ms):
                slot.flight_until, slot.attempt = now + remaining_ms, outcome.attempt
                if is_same:
                    slot.tried = to
                return
            case _:
                slot.flight_until = slot.attempt = 0
        if not is_same:
            return
        match outcome.fate:
            case Left():
                self.model.end(pair, is_bucket_claimed=is_bucket_claimed, now=now)
            case Reached(to=to):
                slot.attempts, slot.cursor = 0, max(slot.cursor, to)
            case Missed(to=to, delay_ms=delay_ms, hold_ms=hold_ms):
                slot.attempts, slot.last_at, slot.next_at = slot.attempts + 1, now, now + delay_ms
                slot.hold_until = now + hold_ms if hold_ms else 0
                slot.tried = to

    def _incarnation(self, pair: tuple[str, str]) -> int:
        """The incarnation before the step just made: a confirmation draws another (checked)."""
        return self.incarnations.get(pair, 0)

    # Leases and repair

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
        if self.clock_went_back:
            # A time that now lies a little ahead cannot be told from a rest, and is left.
            until = self.world.now + LIMITS.rest
            self.rests = {(topic, bucket): until for (topic, _), bucket in self.placed.items()}
        else:
            assert missing == 0, "something was not queued"
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

    # What holds after each step

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

    @initialize(is_under_way=st.booleans())
    def start(self, is_under_way: bool) -> None:
        self.incarnations: dict[tuple[str, str], int] = {}
        if is_under_way:
            self.everybody_subscribes()
            self.every_topic_has_news()

    @invariant()
    def the_records_say_what_the_model_says(self) -> None:
        self._observe()
        self.model.forget_unfollowed()
        stored = self._stored()
        assert set(stored) == set(self.model.slots)
        for pair, (roster, raw) in stored.items():
            slot, progress = self.model.slots[pair], unpack_progress(raw)
            assert (roster is not None) == slot.is_active
            self.incarnations[pair] = progress.incarnation
            assert progress.flight_until_ms == slot.flight_until
            if roster is None:
                assert progress.incarnation == 0
                continue
            subscription = unpack_subscription(roster)
            assert subscription.secret == slot.secret
            assert subscription.lease_end_ms == slot.lease_end
            assert progress.cursor == slot.cursor
            assert progress.attempts == slot.attempts
        for pair in set(self.incarnations) - set(stored):
            del self.incarnations[pair]

    @invariant()
    def what_is_counted_and_indexed_is_what_is_there(self) -> None:
        redis, prefix = self.world.redis, self.world.prefix
        assert {m.decode() for m in redis.smembers(f"{prefix}topics")} == {
            topic_id(url) for url in self.model.topics
        }
        assert {int(n) for n in redis.zrange(f"{prefix}requests", 0, -1)} == set(
            self.model.requests
        )
        for url, state in self.model.topics.items():
            key = topic_id(url)
            active = sum(p[0] == url and s.is_active for p, s in self.model.slots.items())
            waiting = sum(r.pair[0] == url for r in self.model.requests.values())
            facts = redis.hmget(f"{prefix}t:{key}", "subscriptions", "pending", "head")
            assert [int(f or 0) for f in facts[:2]] == [active, waiting]
            assert EventId.parse(facts[2]) == state.head
            sizes = redis.zrange(f"{prefix}buckets:{key}", 0, -1, withscores=True)
            for bucket, size in sizes:
                assert redis.hlen(f"{prefix}progress:{key}.{bucket.decode()}") == size
                assert 0 < size <= LIMITS.bucket_size
            assert int(sum(size for _, size in sizes)) == sum(p[0] == url for p in self.model.slots)
        for name in ("pinged", "unverified"):
            claims = redis.hkeys(f"{prefix}wl:{name}:claims")
            assert set(claims) <= set(redis.zrange(f"{prefix}wl:{name}", 0, -1))

    @invariant()
    def whoever_is_behind_has_a_time(self) -> None:
        if self.clock_went_back:
            return
        redis, prefix, now = self.world.redis, self.world.prefix, self.world.now
        for pair, slot in self.model.slots.items():
            key, bucket = topic_id(pair[0]), self.placed[pair]
            index = redis.zscore(f"{prefix}wl:ready", key)
            time = redis.zscore(f"{prefix}ready:{key}", str(bucket))
            due = self.model.due_at(pair, now) if slot.is_active else None
            if due is not None and self._waits(pair) and self.model.breaker(pair) is not None:
                # Held, or not let go yet.
                assert redis.zscore(f"{prefix}wl:origins", origin_of(pair)) is not None
            elif due is not None:
                assert index is not None, "a topic with somebody behind has no time"
                is_swept = redis.hexists(f"{prefix}t:{key}", "sweep")
                assert time is not None or is_swept, "a bucket with somebody behind has no time"
                if time is not None and not self._is_bucket_claimed(pair):
                    assert time <= max(due, now, self._rests_until(pair)) or is_swept
                if time is not None:
                    assert index <= max(time, now)
            if slot.is_active:
                ending = redis.zscore(f"{prefix}wl:ending", f"{key}.{bucket}")
                assert ending is not None
                assert ending <= max(slot.lease_end, now + LIMITS.renewal_wait)

    @invariant()
    def breakers_are_as_the_model_says(self) -> None:
        redis, prefix = self.world.redis, self.world.prefix
        found = redis.hgetall(f"{prefix}origins")
        assert {origin.decode() for origin in found} == set(self.model.breakers)
        for origin, breaker in self.model.breakers.items():
            state, _, cause, step, probe, _ = found[origin.encode()].decode().split()
            assert (state == "open") == breaker.is_open
            assert (int(cause), int(step), int(probe)) == (
                breaker.cause, breaker.step, breaker.probe,
            )  # fmt: skip
            assert redis.zscore(f"{prefix}wl:origins", origin) == breaker.at
        for origin in ORIGINS:
            if origin not in self.model.breakers:
                assert not redis.exists(f"{prefix}waits:{origin}"), "somebody waits for nothing"

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


def _fate(name: str, head: EventId) -> Fate | None:
    match name:
        case "reached":
            return Reached(to=head)
        case "left":
            return Left()
        case "missed":
            return Missed(to=head, delay_ms=5_000, hold_ms=0, error="status 500")
        case "down":
            blame = Blame.UNREACHABLE
            return Missed(to=head, delay_ms=5_000, hold_ms=0, error="refused", blame=blame)
        case "failing":
            blame = Blame.FAILING
            return Missed(to=head, delay_ms=5_000, hold_ms=0, error="no answer", blame=blame)
        case "held":
            return Missed(to=head, delay_ms=5_000, hold_ms=1_200_000, error="status 503")
        case "pending":
            return Pending(to=head, remaining_ms=24_000)
        case _:
            return None


_runs = itertools.count()


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_every_interleaving_leaves_the_records_as_the_model_says(redis_url: str) -> None:
    ProtocolOfRecords.url = redis_url
    case = ProtocolOfRecords.TestCase
    case.settings = settings(
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
    )
    case().runTest()
