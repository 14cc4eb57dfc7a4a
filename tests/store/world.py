"""A store whose clock the test moves, and a plain model of what it must do.

The model is made of dicts and knows nothing of sorted sets, buckets' encodings or indexes: it says
which outcome each step must have. Where a subscription is placed is the store's own choice.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from redis import Redis

from hub.store.limits import Limits
from hub.store.outcomes import Blame, Fate, Left, Missed, NoTurn, Outcome, Pending, Reached
from hub.store.scripts import load_scripts
from hub.store.store import Store

T = TypeVar("T")
START_MS = 1_800_000_000_000


def origin_of(pair: tuple[str, str]) -> str:
    scheme, _, host, *_ = pair[1].split("/")
    return f"{scheme}//{host}"


class World:
    """Runs the store's calls one by one, at a time that the test sets."""

    def __init__(self, url: str, prefix: str, limits: Limits) -> None:
        self.limits = limits
        self.prefix = f"{prefix}:1:"
        # redis-py types each reply as "awaitable or not"; here it never is.
        self.redis: Any = Redis.from_url(url)
        clock = f"local function now() return tonumber(redis.call('GET', '{prefix}:now')) end"
        self._now_key = f"{prefix}:now"
        scripts = load_scripts(key_prefix=prefix, limits=limits, clock=clock)
        self._runner = asyncio.Runner()
        self.workers = [Store(url, scripts, randomness=f"worker{number}") for number in range(2)]
        self.now = START_MS
        self.set_time(START_MS)

    def set_time(self, now: int) -> None:
        self.now = now
        self.redis.set(self._now_key, now)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def close(self) -> None:
        for worker in self.workers:
            self._runner.run(worker.close())
        self._runner.close()
        keys = list(self.redis.scan_iter(match=f"{self.prefix[:-3]}*", count=1000))
        if keys:
            self.redis.delete(*keys)
        self.redis.close()


@dataclass
class ModelClaim:
    """Something a worker holds until it settles, is replaced, or time is up."""

    token: str
    ends: int
    is_moved: bool = False


@dataclass
class ModelSubscription:
    """A slot: an active subscription, or what is left of one (is_active False)."""

    is_active: bool
    secret: bytes
    lease_end: int
    cursor: tuple[int, int]
    attempts: int = 0
    last_at: int = 0
    next_at: int = 0
    hold_until: int = 0
    flight_until: int = 0
    attempt: int = 0
    tried: tuple[int, int] = (0, 0)
    incarnation: int = 0


@dataclass
class ModelRequest:
    """A pending request."""

    number: int
    mode: str
    pair: tuple[str, str]
    secret: bytes
    lease_s: int
    accepted_at: int
    at: int
    claim: ModelClaim | None = None
    claimed_at: int = 0
    start: tuple[int, int] = (0, 0)


@dataclass
class ModelTopic:
    """A followed topic: its log, when it is to be fetched (None: not), what it calls itself."""

    fetch_at: int | None = None
    claim: ModelClaim | None = None
    has_baseline: bool = False
    recheck: int = 2
    last_ping: int = 0
    fetched_at: int | None = None
    events: list[tuple[int, int]] = field(default_factory=list)
    trimmed_to: tuple[int, int] = (0, 0)
    self_url: str | None = None

    @property
    def head(self) -> tuple[int, int]:
        return self.events[-1] if self.events else self.trimmed_to


@dataclass
class ModelBreaker:
    """An origin that is held, or was and left buckets that wait; `probe` is an attempt, 0: none."""

    cause: Blame
    at: int
    is_open: bool = True
    step: int = 1
    probe: int = 0


@dataclass
class Model:
    """All that the store should know."""

    limits: Limits
    topics: dict[str, ModelTopic] = field(default_factory=dict)
    slots: dict[tuple[str, str], ModelSubscription] = field(default_factory=dict)
    requests: dict[int, ModelRequest] = field(default_factory=dict)
    applied: dict[tuple[str, str], int] = field(default_factory=dict)
    breakers: dict[str, ModelBreaker] = field(default_factory=dict)

    def stands(self, claim: ModelClaim | None, now: int) -> bool:
        longest = self.limits.claim_lease + self.limits.clock_slack
        return claim is not None and now < claim.ends <= now + longest

    def is_in_flight(self, slot: ModelSubscription, now: int) -> bool:
        longest = self.limits.longest_flight + self.limits.clock_slack
        return now < slot.flight_until <= now + longest

    def due_at(self, pair: tuple[str, str], now: int) -> int | None:
        """When this active subscription is to be tried, None where it is not behind."""
        slot, head = self.slots[pair], self.topics[pair[0]].head
        if slot.cursor >= head:
            return None
        at = now
        if slot.attempts:
            at = slot.next_at
            if slot.tried < head:
                at = min(at, slot.last_at + self.limits.new_event_wait)
            at = max(at, slot.hold_until)
            if slot.last_at > now or at > now + self.limits.longest_wait:
                at = now
        return max(at, slot.flight_until) if self.is_in_flight(slot, now) else at

    def breaker(self, pair: tuple[str, str]) -> ModelBreaker | None:
        return self.breakers.get(origin_of(pair))

    def is_held(self, pair: tuple[str, str]) -> bool:
        breaker = self.breaker(pair)
        return breaker is not None and breaker.is_open

    def longest_probe_wait(self) -> int:
        limits = self.limits
        each = len(self.breakers) * limits.probe_spacing
        return min(limits.probe_most, max(limits.probe_longest, each))

    def probe_delay(self, breaker: ModelBreaker) -> int:
        step = self.limits.probe_first * 5 ** (breaker.step - 1)
        return int(min(step, self.longest_probe_wait()))

    def longest_look(self, breaker: ModelBreaker) -> int:
        """How far ahead a breaker's time may lie."""
        limits = self.limits
        if not breaker.is_open:
            return limits.release_interval
        return max(limits.probe_most, limits.claim_lease, limits.longest_flight)

    def judge_origin(
        self, pair: tuple[str, str], outcome: Outcome, now: int, *, is_probe: bool
    ) -> bool:
        """What an outcome says about its origin; whether it is counted against its subscription."""
        breaker, fate = self.breaker(pair), outcome.fate
        is_probed = is_probe and breaker is not None and breaker.probe == outcome.attempt
        if breaker is not None and is_probed and not isinstance(fate, NoTurn):
            return self._end_probe(breaker, fate, now)
        is_judged = isinstance(fate, (Missed, NoTurn)) and fate.blame is not Blame.CALLBACK
        if is_judged and not self.is_held(pair):
            assert isinstance(fate, (Missed, NoTurn))
            opened = ModelBreaker(cause=fate.blame, at=0)
            opened.at = now + self.probe_delay(opened)
            self.breakers[origin_of(pair)] = opened
        return True

    def judge_late(self, pair: tuple[str, str], outcome: Outcome, now: int) -> bool:
        """The same of an end past patience: who answers after all shows that it is only slow."""
        breaker, is_answer = self.breaker(pair), isinstance(outcome.fate, (Reached, Left))
        is_probe = breaker is not None and breaker.probe == outcome.attempt
        if breaker is not None and breaker.is_open and is_answer and not is_probe:
            if breaker.cause is not Blame.UNREACHABLE:
                breaker.is_open, breaker.probe, breaker.at = False, 0, now
            return True
        return self.judge_origin(pair, outcome, now, is_probe=True)

    def _end_probe(self, breaker: ModelBreaker, fate: Fate, now: int) -> bool:
        if isinstance(fate, Pending):
            breaker.at = now + fate.remaining_ms
            return True
        breaker.probe = 0
        own = isinstance(fate, Missed) and fate.blame is Blame.CALLBACK
        if not isinstance(fate, Missed) or (own and breaker.cause is Blame.UNREACHABLE):
            breaker.is_open, breaker.at = False, now
            return True
        breaker.cause = breaker.cause if own else fate.blame
        breaker.step = min(breaker.step + 1, 9)
        breaker.at = now + self.probe_delay(breaker)
        return fate.blame is not Blame.UNREACHABLE

    def pinged(self, url: str) -> list[ModelTopic]:
        """What a ping is to set going: the topic, and the one whose URL it calls its own."""
        if url not in self.topics:
            return []
        named = self.topics[url].self_url
        urls = {url, named} if named is not None else {url}
        return [self.topics[each] for each in urls if each in self.topics]

    def pending(self, pair: tuple[str, str]) -> list[ModelRequest]:
        return [request for request in self.requests.values() if request.pair == pair]

    def must_wait(self, request: ModelRequest, now: int) -> bool:
        """Whether its verification waits for the topic's first document."""
        topic = self.topics[request.pair[0]]
        if request.mode != "subscribe" or topic.has_baseline or now < request.accepted_at:
            return False
        ends = request.accepted_at + self.limits.baseline_patience
        if topic.fetched_at is not None:
            ends = min(ends, 2 * request.accepted_at - topic.fetched_at)
        return now < ends

    def is_lease_over(self, pair: tuple[str, str], now: int) -> bool:
        lease_end = self.slots[pair].lease_end
        return lease_end <= now and not any(
            request.mode == "subscribe" and request.accepted_at <= lease_end
            for request in self.pending(pair)
        )

    def end(self, pair: tuple[str, str], *, is_bucket_claimed: bool, now: int) -> None:
        """An active subscription ends: at once, or when nothing refers to its slot any more."""
        slot = self.slots[pair]
        if is_bucket_claimed or self.is_in_flight(slot, now):
            self.slots[pair] = replace(slot, is_active=False, attempts=0, incarnation=0)
        else:
            del self.slots[pair]

    def forget_unfollowed(self) -> None:
        for topic in list(self.topics):
            has_slots = any(pair[0] == topic for pair in self.slots)
            has_requests = any(r.pair[0] == topic for r in self.requests.values())
            if not has_slots and not has_requests:
                del self.topics[topic]

    def close_request(self, request: ModelRequest) -> None:
        del self.requests[request.number]
        if not self.pending(request.pair):
            self.applied.pop(request.pair, None)
