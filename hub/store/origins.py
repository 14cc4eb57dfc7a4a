"""Origins whose breaker is open, or was and left buckets that wait (fine print 10)."""

from dataclasses import dataclass

from hub.store.buckets import BucketClaim, read_bucket_claim
from hub.store.commit import GroupCommit
from hub.store.results import Claimed


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginStatus:
    """One breaker.

    Attributes:
        is_open: its subscriptions are held; else those that waited are let go, ever faster.
        for_ms: since when it is open, or closed.
        next_ms: until the next probe, or release.
        waiting: buckets with somebody who waits for it.
    """

    origin: str
    is_open: bool
    for_ms: int
    next_ms: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakers:
    """How many are open, and some of them."""

    count: int
    shown: tuple[OriginStatus, ...]


class Origins:
    """The breakers of all origins, and the work list `origins`."""

    def __init__(self, commit: GroupCommit, *, randomness: str) -> None:
        self._commit = commit
        self._randomness = randomness

    async def claim(self, *, budget: int) -> Claimed[BucketClaim]:
        """Returns buckets in which one probes for its origin, and releases those that may go."""
        wait_ms, rows = await self._commit.call("claim_origins", budget, self._randomness)
        return Claimed(wait_ms=wait_ms, claims=[read_bucket_claim(row) for row in rows])

    async def breakers(self, *, limit: int) -> Breakers:
        """Returns the breakers that are looked at next."""
        count, rows = await self._commit.call("describe_origins", limit)
        return Breakers(
            count=count,
            shown=tuple(
                OriginStatus(
                    origin=origin.decode("utf-8", "replace"),
                    is_open=bool(is_open),
                    for_ms=for_ms,
                    next_ms=next_ms,
                    waiting=waiting,
                )
                for origin, is_open, for_ms, next_ms, waiting in rows
            ),
        )
