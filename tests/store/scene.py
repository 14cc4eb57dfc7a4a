"""A hub's records in few words: what a test arranges and does, with workers that obey it."""

from collections.abc import Mapping

from hub.protocol.requests import Mode, SignatureMethod, SubscriptionRequest
from hub.protocol.urls import subscription_id, topic_id
from hub.store.buckets import BucketClaim, Member, Settled
from hub.store.event_id import EventId
from hub.store.log import WholeEvent
from hub.store.origins import OriginStatus
from hub.store.outcomes import Blame, Fate, Missed, Outcome, Pending, Reached
from hub.store.progress import Progress, unpack_progress
from hub.store.requests import Effect, RequestClaim, Verdict
from hub.store.results import Accepted
from hub.store.topics import Appended, FetchOutcome, FetchRecord, Lapsed, TopicClaim
from tests.store.world import World

TOPIC = "http://t.example/feed"
ONE, TWO, THREE = (f"http://s.example/{number}" for number in (1, 2, 3))
ALL = 100_000
LEASE_S = 864_000
NEWS = FetchRecord(
    outcome=FetchOutcome.NEWS, event=WholeEvent(content_type="text/plain"), body=b"body"
)
SAME = FetchRecord(outcome=FetchOutcome.SAME, recheck_ms=(10_000, 60_000))
FAILED = FetchRecord(outcome=FetchOutcome.FAILED, retry_ms=10_000)
RELEASED = FetchRecord(outcome=FetchOutcome.RELEASED)
FLIGHT_MS = 25_000


class Scene:
    """Calls of the store, one after the other; `worker` says which of two processes makes them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.run = world.run
        self.workers = world.workers
        self.redis = world.redis

    def later(self, ms: int) -> None:
        self.world.set_time(self.world.now + ms)

    # Requests

    def accept(
        self,
        callback: str = ONE,
        *,
        topic: str = TOPIC,
        mode: Mode = Mode.SUBSCRIBE,
        secret: bytes = b"",
        lease_s: int = LEASE_S,
    ) -> int | None:
        """The number of the request, None where nothing was to do; too many is an error here."""
        answer = self.run(
            self.workers[0].accept(
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
        assert isinstance(answer, Accepted)
        return answer.number

    def claim_requests(self, worker: int = 0) -> list[RequestClaim]:
        return list(self.run(self.workers[worker].requests.claim(limit=ALL)).claims)

    def settle_request(self, claim: RequestClaim, verdict: Verdict = Verdict.CONFIRMED) -> Effect:
        return self.run(self.workers[0].requests.settle(claim, verdict))

    def verify_all(self) -> None:
        self.later(1_000)
        for claim in self.claim_requests():
            assert self.settle_request(claim) is Effect.APPLIED

    def subscribe(
        self,
        *callbacks: str,
        topic: str = TOPIC,
        secret: bytes = b"",
        lease_s: int = LEASE_S,
    ) -> None:
        """Confirmed subscriptions; the topic's first document is read before."""
        for callback in callbacks:
            self.accept(callback, topic=topic, secret=secret, lease_s=lease_s)
        for claim in self.claim_fetches():
            self.append(claim)
        self.verify_all()

    def unsubscribe(self, *callbacks: str, topic: str = TOPIC) -> None:
        for callback in callbacks:
            self.accept(callback, topic=topic, mode=Mode.UNSUBSCRIBE)
        self.verify_all()

    # Topics

    def ping(self, topic: str = TOPIC) -> int:
        return self.run(self.workers[0].topics.ping(topic))

    def claim_fetches(self, worker: int = 0) -> list[TopicClaim]:
        return list(self.run(self.workers[worker].topics.claim(limit=ALL)).claims)

    def append(
        self, claim: TopicClaim, record: FetchRecord = NEWS, *, is_bucket_wanted: bool = False
    ) -> Appended | Lapsed:
        topics = self.workers[0].topics
        return self.run(topics.append(claim, record, is_bucket_wanted=is_bucket_wanted))

    def publish(
        self, topic: str = TOPIC, record: FetchRecord = NEWS, *, is_bucket_wanted: bool = False
    ) -> Appended:
        """A ping, and the fetch that follows at once."""
        self.later(1_000)
        assert self.ping(topic) == 1
        (claim,) = [claim for claim in self.claim_fetches() if claim.url == topic]
        answer = self.append(claim, record, is_bucket_wanted=is_bucket_wanted)
        assert isinstance(answer, Appended)
        return answer

    def head(self, topic: str = TOPIC) -> EventId:
        return EventId.parse(self.field("head", topic))

    def field(self, name: str, topic: str = TOPIC) -> bytes | None:
        value: bytes | None = self.redis.hget(self.key(f"t:{topic_id(topic)}"), name)
        return value

    # Buckets

    def claim_buckets(self, *, budget: int = ALL, worker: int = 0) -> list[BucketClaim]:
        return list(self.run(self.workers[worker].buckets.claim(budget=budget)).claims)

    def claim_bucket(self) -> BucketClaim:
        (claim,) = self.claim_buckets()
        return claim

    def claim_probes(self, *, worker: int = 0, budget: int = ALL) -> list[BucketClaim]:
        """Buckets in which one probes for its origin; those that may go are in `ready` then."""
        return list(self.run(self.workers[worker].origins.claim(budget=budget)).claims)

    def claim_probe(self) -> BucketClaim:
        (claim,) = self.claim_probes()
        return claim

    def breakers(self) -> dict[str, OriginStatus]:
        shown = self.run(self.workers[0].origins.breakers(limit=ALL)).shown
        return {one.origin: one for one in shown}

    def settle(self, claim: BucketClaim, fates: Mapping[str, Fate] | Fate | None = None) -> bool:
        """With one fate for each who is in the claim, or one by callback; none: not tried."""
        return bool(self.settled(claim, fates).written)

    def settled(
        self, claim: BucketClaim, fates: Mapping[str, Fate] | Fate | None = None
    ) -> Settled:
        """The same, with what became of breakers."""
        outcomes = [
            outcome_of(claim, member, fate)
            for member in claim.members
            if (fate := _fate_of(member, fates)) is not None
        ]
        return self.run(self.workers[0].buckets.settle(claim, outcomes))

    def settle_late(self, claim: BucketClaim, fate: Fate) -> int:
        """The end of the first member's request."""
        return self.settled_late(claim, fate).written

    def settled_late(self, claim: BucketClaim, fate: Fate) -> Settled:
        outcome = outcome_of(claim, claim.members[0], fate)
        buckets = self.workers[0].buckets
        return self.run(buckets.settle_late(claim.topic_id, claim.bucket, [outcome]))

    def deliver(self) -> set[str]:
        """Delivers to all who are due until nobody is; says to whom."""
        reached: set[str] = set()
        while claims := self.claim_buckets():
            for claim in claims:
                reached |= callbacks_of(claim)
                assert self.settle(claim, Reached(to=claim.head))
        return reached

    def expire(self) -> list[tuple[str, str]]:
        return list(self.run(self.workers[0].buckets.expire(limit=ALL)).claims)

    # Records as they lie in Redis

    def key(self, name: str) -> str:
        return f"{self.world.prefix}{name}"

    def place(self, callback: str = ONE, topic: str = TOPIC) -> int | None:
        """The number of a subscription's bucket."""
        sid = subscription_id(topic, callback)
        shard = self.key(f"index:{sid[0] * 16 + sid[1] // 16:03x}")
        found = self.redis.hget(shard, sid)
        return None if found is None else int(found)

    def progress(self, callback: str = ONE, topic: str = TOPIC) -> Progress:
        sid = subscription_id(topic, callback)
        place = f"{topic_id(topic)}.{self.place(callback, topic)}"
        return unpack_progress(self.redis.hget(self.key(f"progress:{place}"), sid))

    def key_names(self) -> set[str]:
        found = self.redis.scan_iter(match=f"{self.world.prefix}*", count=1000)
        return {key.decode(errors="replace").removeprefix(self.world.prefix) for key in found}

    def repair(self) -> int:
        async def run() -> int:
            return sum([missing async for missing in self.workers[0].repair.run()])

        return self.run(run())


def outcome_of(claim: BucketClaim, member: Member, fate: Fate) -> Outcome:
    return Outcome(
        subscription_id=member.subscription_id,
        incarnation=member.progress.incarnation,
        attempt=claim.attempt,
        fate=fate,
    )


def callbacks_of(claim: BucketClaim) -> set[str]:
    return {member.subscription.callback for member in claim.members}


def missed(
    claim: BucketClaim,
    *,
    delay_ms: int = 5_000,
    hold_ms: int = 0,
    blame: Blame = Blame.CALLBACK,
) -> Missed:
    return Missed(
        to=claim.head, delay_ms=delay_ms, hold_ms=hold_ms, error="status 500", blame=blame
    )


def unreachable(claim: BucketClaim) -> Missed:
    return missed(claim, blame=Blame.UNREACHABLE)


def failing(claim: BucketClaim) -> Missed:
    return missed(claim, blame=Blame.FAILING)


def pending(claim: BucketClaim) -> Pending:
    return Pending(to=claim.head, remaining_ms=FLIGHT_MS)


def _fate_of(member: Member, fates: Mapping[str, Fate] | Fate | None) -> Fate | None:
    if isinstance(fates, Mapping):
        return fates.get(member.subscription.callback)
    return fates
