"""Origins whose breaker is open, or was and left buckets that wait (fine print 10)."""

import re
from dataclasses import dataclass

from hub.store.buckets import BucketClaim, read_bucket_claim
from hub.store.commit import GroupCommit
from hub.store.results import Claimed

# What nearly all are: nothing in them needs a second look.
_PLAIN = re.compile(r"https?://[a-z0-9.-]+(?::[1-9][0-9]{3,4})?(?=[/?#]|\Z)")
_ORIGIN = re.compile(r"(?P<scheme>[A-Za-z]+)://(?P<authority>[^/?#]*)")
_PORT = re.compile(r":(?P<port>[0-9]*)\Z")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def origin_of(callback: str) -> str:
    """Returns scheme, host and port of a callback, as lua/lib/origin.lua does; '' for none."""
    if plain := _PLAIN.match(callback):
        return plain[0]
    found = _ORIGIN.match(callback)
    if found is None:
        return ""
    scheme, authority = found["scheme"].lower(), found["authority"].lower()
    port = _PORT.search(authority)
    if port is not None and port["port"] in ("", _DEFAULT_PORTS.get(scheme, "80")):
        authority = authority[: port.start()]
    return f"{scheme}://{authority}"


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
