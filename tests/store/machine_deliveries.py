"""Buckets that are claimed, tried and settled, in a random walk over the protocol."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import hypothesis.strategies as st
from hypothesis.stateful import precondition, rule

from hub.protocol.urls import topic_id
from hub.store.buckets import BucketClaim
from hub.store.event_id import EventId
from hub.store.outcomes import Blame, Fate, Left, Missed, NoTurn, Outcome, Pending, Reached
from tests.store.machine_records import ALL, LIMITS
from tests.store.machine_requests import Requests
from tests.store.world import ModelClaim, origin_of

RETRY_MS = 5_000


def _missed(to: EventId, *, hold_ms: int = 0, blame: Blame = Blame.CALLBACK) -> Missed:
    return Missed(to=to, delay_ms=RETRY_MS, hold_ms=hold_ms, error="failed", blame=blame)


# By what becomes of a request; None where it is not tried.
FATES: Mapping[str, Callable[[EventId], Fate | None]] = MappingProxyType(
    {
        "reached": lambda head: Reached(to=head),
        "left": lambda _: Left(),
        "missed": lambda head: _missed(head),
        "held": lambda head: _missed(head, hold_ms=1_200_000),
        "down": lambda head: _missed(head, blame=Blame.UNREACHABLE),
        "failing": lambda head: _missed(head, blame=Blame.FAILING),
        "pending": lambda head: Pending(to=head, remaining_ms=24_000),
        "no turn": lambda _: NoTurn(),
        "silent": lambda _: NoTurn(blame=Blame.FAILING),
        "untried": lambda _: None,
    }
)
fates = st.sampled_from([*FATES, "reached", "reached", "down"])


class Deliveries(Requests):
    """Claims of buckets, with those that probe for an origin among them."""

    @rule(worker=st.integers(0, 1), budget=st.sampled_from([1, 2, ALL]))
    def claim_buckets(self, worker: int, budget: int) -> None:
        claims = self.world.run(self.world.workers[worker].buckets.claim(budget=budget)).claims
        self._observe()
        for claim in claims:
            self._take_bucket(worker, claim)
        if budget == ALL and not self.clock_went_back:
            idle = [
                pair
                for pair in self._due_pairs()
                if not self._is_bucket_claimed(pair) and not self._waits(pair)
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
    @rule(data=st.data())
    def settle_bucket(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.buckets_held) - 1))
        drawn = [data.draw(fates) for _ in self.buckets_held[index][1].members]
        self._settle_bucket(index, drawn)

    def _settle_bucket(self, index: int, drawn: Sequence[str]) -> None:
        worker, claim, held = self.buckets_held.pop(index)
        outcomes = [
            Outcome(
                subscription_id=member.subscription_id, incarnation=member.progress.incarnation,
                attempt=claim.attempt, fate=fate,
            )
            for member, name in zip(claim.members, drawn, strict=True)
            if (fate := FATES[name](claim.head)) is not None
        ]  # fmt: skip
        buckets = self.world.workers[worker].buckets
        stood = bool(self.world.run(buckets.settle(claim, outcomes)).written)
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

    def _settle_member(
        self, pair: tuple[str, str], outcome: Outcome, *, is_bucket_claimed: bool
    ) -> None:
        slot, now, fate = self.model.slots[pair], self.world.now, outcome.fate
        is_same = self._incarnation(pair) == outcome.incarnation
        if isinstance(fate, NoTurn):
            if is_same:
                slot.flight_until, slot.attempt = now + LIMITS.rest, 0
            return
        if isinstance(fate, Pending):
            slot.flight_until, slot.attempt = now + fate.remaining_ms, outcome.attempt
        else:
            slot.flight_until = slot.attempt = 0
        if is_same:
            self._settle_same(pair, fate, is_bucket_claimed=is_bucket_claimed)

    def _settle_same(self, pair: tuple[str, str], fate: Fate, *, is_bucket_claimed: bool) -> None:
        slot, now = self.model.slots[pair], self.world.now
        match fate:
            case Left():
                self.model.end(pair, is_bucket_claimed=is_bucket_claimed, now=now)
            case Reached(to=to):
                slot.attempts, slot.cursor = 0, max(slot.cursor, to)
            case Missed(to=to, delay_ms=delay_ms, hold_ms=hold_ms):
                slot.attempts, slot.last_at, slot.next_at = slot.attempts + 1, now, now + delay_ms
                slot.hold_until = now + hold_ms if hold_ms else 0
                slot.tried = to
            case Pending(to=to):
                slot.tried = to
            case NoTurn():
                raise AssertionError("nothing else becomes of it")

    def _incarnation(self, pair: tuple[str, str]) -> int:
        """The incarnation before the step just made: a confirmation draws another (checked)."""
        return self.incarnations.get(pair, 0)
