"""How far one subscription has come: the layout of lua/lib/progress.lua."""

import struct
from typing import NamedTuple

from hub.store.event_id import EventId

_HEALTHY = struct.Struct(">QIQ")
_FULL = struct.Struct(">QIQHQQQQQQI")


class Progress(NamedTuple):
    """A subscription's cursor, and where it failed what became of its last attempt.

    Attributes:
        cursor: the last event that its receiver has answered 2xx to.
        incarnation: drawn anew by each confirmed request; 0 once the subscription has ended.
        attempts: failures in a row.
        next_at_ms: when its own schedule tries it again.
        hold_until_ms: before this its receiver does not want to be asked (Retry-After).
        flight_until_ms: before this a request past patience may still be under way.
    """

    cursor: EventId
    incarnation: int
    attempts: int = 0
    last_at_ms: int = 0
    next_at_ms: int = 0
    hold_until_ms: int = 0
    flight_until_ms: int = 0
    error: str = ""


def unpack_progress(raw: bytes) -> Progress:
    """Returns the progress of a bucket's record."""
    if len(raw) == _HEALTHY.size:
        ms, seq, incarnation = _HEALTHY.unpack(raw)
        return Progress(EventId(ms, seq), incarnation)
    ms, seq, incarnation, attempts, last, following, hold, flight, _, _, _ = _FULL.unpack_from(raw)
    return Progress(
        cursor=EventId(ms, seq),
        incarnation=incarnation,
        attempts=attempts,
        last_at_ms=last,
        next_at_ms=following,
        hold_until_ms=hold,
        flight_until_ms=flight,
        error=raw[_FULL.size :].decode("utf-8", "replace"),
    )
