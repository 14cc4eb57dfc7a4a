"""What became of the requests of a bucket, as lua/lib/outcome.lua reads it."""

import enum
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, assert_never

from hub.store.event_id import EventId

ERROR_MAX_BYTES = 120
_HEAD = struct.Struct(">16sQQB")
_WHOLE_OF_DELIVERED = struct.Struct(">16sQQBQI")
_DELIVERED, _GONE, _FAILED, _IN_FLIGHT, _NO_TURN = 1, 2, 3, 4, 5


class Blame(enum.IntEnum):
    """Whose failure it is: a breaker opens where it is the origin's (design section 7)."""

    CALLBACK = 0
    UNREACHABLE = 1  # no connection to the origin comes about
    FAILING = 2  # several of its callbacks fail or are silent, and none succeeds


class Reached(NamedTuple):
    """The receiver answered 2xx to everything up to and including `to`."""

    to: EventId


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """The receiver wants no more (410)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """The request failed; `hold_ms` is what Retry-After asks for, 0 for nothing."""

    to: EventId
    delay_ms: int
    hold_ms: int
    error: str
    blame: Blame = Blame.CALLBACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """The request is still under way, and may be for `remaining_ms` more."""

    to: EventId
    remaining_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoTurn:
    """Nothing was sent, as its host was too busy: it waits a little, and nothing is counted."""

    blame: Blame = Blame.CALLBACK


Fate: TypeAlias = Reached | Left | Missed | Pending | NoTurn


class Outcome(NamedTuple):
    """The fate of one request to one incarnation of a subscription, in one attempt.

    A tuple, as `Reached` is: there are thousands a second.
    """

    subscription_id: bytes
    incarnation: int
    attempt: int
    fate: Fate


def pack_outcomes(outcomes: Iterable[Outcome]) -> bytes:
    """Returns outcomes as one argument of settle_bucket or settle_late."""
    return b"".join(_pack(outcome) for outcome in outcomes)


def _pack(outcome: Outcome) -> bytes:
    subscription_id, incarnation, attempt, fate = outcome
    if isinstance(fate, Reached):
        # At once, since nearly all are.
        return _WHOLE_OF_DELIVERED.pack(subscription_id, incarnation, attempt, _DELIVERED, *fate.to)
    kind, rest = _packed_fate(fate)
    return _HEAD.pack(subscription_id, incarnation, attempt, kind) + rest


def _packed_fate(fate: Left | Missed | Pending | NoTurn) -> tuple[int, bytes]:
    match fate:
        case Left():
            return _GONE, b""
        case Missed(to=to, delay_ms=delay_ms, hold_ms=hold_ms, error=error, blame=blame):
            text = error.encode()[:ERROR_MAX_BYTES]
            head = struct.pack(">IIQIBB", delay_ms, hold_ms, *to, blame, len(text))
            return _FAILED, head + text
        case Pending(to=to, remaining_ms=remaining_ms):
            return _IN_FLIGHT, struct.pack(">IQI", remaining_ms, *to)
        case NoTurn(blame=blame):
            return _NO_TURN, bytes((blame,))
    assert_never(fate)
