"""Buckets of subscriptions: claimed, tried and settled as one (design: delivering a bucket)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hub.store.commit import GroupCommit
from hub.store.event_id import EventId
from hub.store.outcomes import Blame, Outcome, pack_outcomes
from hub.store.progress import Progress, unpack_progress
from hub.store.results import Claimed
from hub.store.subscription import Subscription, unpack_subscription

# How many facts of its topic a claim of a bucket tells.
FACTS = 5


class Member(NamedTuple):
    """A subscription that is behind and due."""

    subscription_id: bytes
    subscription: Subscription
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One subscription that is tried to see whether its origin answers again."""

    origin: str
    subscription_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketClaim:
    """A bucket that this worker holds, with who of it is due.

    Attributes:
        bucket: its number within the topic.
        attempt: the claim's number, by which a request that outlives the claim is known.
        head: the last event of the topic's log at the claim.
        hubs: what the topic names as rel=hub; empty where it names none.
        self_url: what it names as rel=self, or None.
        is_json: its last document was a JSON Feed.
        probe: which of the members probes for its origin; None for none.
    """

    topic_id: str
    bucket: int
    token: str
    topic: str
    head: EventId
    hubs: tuple[str, ...]
    self_url: str | None
    is_json: bool
    members: tuple[Member, ...]
    probe: Probe | None = None

    @property
    def attempt(self) -> int:
        """Returns the claim's number, by which a request that outlives the claim is known."""
        return int(self.token.partition(".")[0])


class Turned(NamedTuple):
    """A breaker that opened, or closed where `cause` is CALLBACK; with the error that did it."""

    origin: str
    cause: Blame
    error: str


class Settled(NamedTuple):
    """What was settled.

    Attributes:
        written: of a bucket 1, or 0 where the claim had lapsed; of late ends how many.
        turned: the breakers that opened or closed with it.
    """

    written: int
    turned: tuple[Turned, ...]


class Buckets:
    """The buckets of all topics, and the work lists `ready` and `ending`."""

    def __init__(self, commit: GroupCommit, *, randomness: str) -> None:
        self._commit = commit
        self._randomness = randomness

    async def claim(self, *, budget: int) -> Claimed[BucketClaim]:
        """Returns due buckets, until they hold `budget` due members or nothing is due."""
        wait_ms, rows = await self._commit.call("claim_ready", budget, self._randomness)
        return Claimed(wait_ms=wait_ms, claims=[read_bucket_claim(row) for row in rows])

    async def settle(self, claim: BucketClaim, outcomes: Iterable[Outcome]) -> Settled:
        """Returns whether the claim still stood and the outcomes are written (invariant 5).

        Args:
            claim: what was claimed.
            outcomes: of those that were tried or had no turn; who has none stays due.
        """
        packed = pack_outcomes(outcomes)
        probe = claim.probe or Probe(origin="", subscription_id=b"")
        reply = await self._commit.call(
            "settle_bucket",
            claim.topic_id,
            claim.bucket,
            claim.token,
            packed,
            probe.origin,
            probe.subscription_id,
        )
        return _settled(reply)

    async def settle_late(self, topic_id: str, bucket: int, outcomes: Sequence[Outcome]) -> Settled:
        """Returns how many ends of requests past patience were written."""
        packed = pack_outcomes(outcomes)
        return _settled(await self._commit.call("settle_late", topic_id, bucket, packed))

    async def has_newer_event(self, claim: BucketClaim) -> bool:
        """Returns whether something was added to the bucket since it was claimed."""
        reply = await self._commit.call("has_moved", claim.topic_id, claim.bucket, claim.token)
        return bool(reply)

    async def expire(self, *, limit: int) -> Claimed[tuple[str, str]]:
        """Ends the leases that are over; returns (topic, callback) of each."""
        wait_ms, flat = await self._commit.call("expire", limit)
        pairs = [(flat[i].decode(), flat[i + 1].decode()) for i in range(0, len(flat), 2)]
        return Claimed(wait_ms=wait_ms, claims=pairs)


def _settled(reply: Sequence[Any]) -> Settled:
    written, turned = reply
    return Settled(
        written=int(written),
        turned=tuple(
            Turned(
                origin.decode("utf-8", "replace"), Blame(cause), error.decode("utf-8", "replace")
            )
            for origin, cause, error in turned
        ),
    )


def read_bucket_claim(row: Sequence[Any]) -> BucketClaim:
    """Returns the claim that claim_ready, claim_origins or append replied."""
    topic_id, bucket, token, facts, flat, probed, probing = row
    url, head, hubs, self_url, format_ = facts
    return BucketClaim(
        topic_id=topic_id.decode(),
        bucket=int(bucket),
        token=token.decode(),
        topic=url.decode(),
        head=EventId.parse(head),
        hubs=tuple(hubs.decode().split("\n")) if hubs else (),
        self_url=self_url.decode() if self_url else None,
        is_json=format_ == b"json",
        members=tuple(
            Member(flat[i], unpack_subscription(flat[i + 1]), unpack_progress(flat[i + 2]))
            for i in range(0, len(flat), 3)
        ),
        probe=Probe(origin=probed.decode(), subscription_id=probing) if probed else None,
    )
