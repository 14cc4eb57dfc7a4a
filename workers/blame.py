"""Whose failure it is, the callback's or its origin's: what this worker saw lately (design 7)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from hub.clock import monotonic_s
from hub.outbound.request import Reason
from hub.store.buckets import Turned
from hub.store.origins import origin_of
from hub.store.outcomes import Blame

CALLBACKS_MIN = 3
WITHIN_S = 60.0
ORIGINS_MAX = 10_000
UNREACHABLE = frozenset({Reason.UNRESOLVED, Reason.REFUSED, Reason.TLS})
# These have to do with the URL of one callback.
_ITS_OWN = frozenset({Reason.BAD_URL, Reason.ADDRESS_BLOCKED})

_log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class _Seen:
    """One origin, as its requests have ended.

    Attributes:
        succeeded_at_s: when it last took a delivery.
        failing: which callbacks have failed since.
        silent: which callbacks have not answered within patience, while nobody else did either,
            and when they were asked.
    """

    succeeded_at_s: float = 0.0
    failing_since_s: float = 0.0
    failing: set[str] = field(default_factory=set)
    silent: dict[str, float] = field(default_factory=dict)


class Witness:
    """Keeps what is needed to judge failures; breakers themselves are in Redis."""

    def __init__(self, *, patience_s: float, at_once: Callable[[], int]) -> None:
        """Knows nothing yet.

        Args:
            patience_s: who has not answered for so long is silent.
            at_once: says how many requests may be under way to one origin.
        """
        self._origins: dict[str, _Seen] = {}
        self._patience_s = patience_s
        self._at_once = at_once
        # Where somebody had no turn, and nothing has ended since.
        self._full: set[str] = set()

    def hear_success(self, callbacks: Iterable[str]) -> None:
        """Takes note that these callbacks answered as they should; there may be many."""
        for origin in set(map(origin_of, callbacks)):
            seen = self._end(origin)
            seen.succeeded_at_s = monotonic_s()
            seen.failing.clear()
            seen.silent.clear()

    def blame(
        self, callback: str, reason: Reason | None, *, sent_at_s: float, is_probe: bool
    ) -> Blame:
        """Returns whose failure it is; what succeeded at the same time is to be heard before.

        Args:
            callback: which failed.
            reason: why there was no answer; None where a status says that it failed.
            sent_at_s: whatever succeeded at the origin since then shows that it is well.
            is_probe: whether its origin was held already, so that it needs no others to agree.
        """
        seen = self._end(origin_of(callback))
        if reason is None:
            seen.silent.clear()
        else:
            seen.silent.pop(callback, None)
        if reason in _ITS_OWN or seen.succeeded_at_s >= sent_at_s:
            return Blame.CALLBACK
        if reason in UNREACHABLE:
            return Blame.UNREACHABLE
        if is_probe and reason is not None:
            return Blame.FAILING
        return Blame.FAILING if _fails(seen, callback) else Blame.CALLBACK

    def leave_silent(self, callback: str, *, begun_at_s: float) -> None:
        """Takes note that nobody waits any longer for this one's answer, which may still come."""
        self._seen(origin_of(callback)).silent[callback] = begun_at_s

    def blame_for_no_turn(self, callback: str) -> Blame:
        """Returns whose fault it is that nothing could be sent to a callback.

        Its origin's, where all that it may have under way is silent: until something ends there,
        nothing else could be started anyway, and no worker need look at those who wait.
        """
        self._full.add(origin_of(callback))
        return Blame.FAILING if self.is_silent(callback) else Blame.CALLBACK

    def is_silent(self, callback: str) -> bool:
        """Returns whether a request to it would have no turn, as its origin answers nobody."""
        if not self._full or (origin := origin_of(callback)) not in self._full:
            return False
        before_s = monotonic_s() - self._patience_s
        silent = self._seen(origin).silent.values()
        return sum(at_s <= before_s for at_s in silent) >= max(CALLBACKS_MIN, self._at_once())

    def _end(self, origin: str) -> _Seen:
        """Something has ended at an origin, so that another may have its turn."""
        self._full.discard(origin)
        return self._seen(origin)

    def _seen(self, origin: str) -> _Seen:
        seen = self._origins.get(origin)
        if seen is None:
            if len(self._origins) >= ORIGINS_MAX:
                first = next(iter(self._origins))
                self._full.discard(first)
                del self._origins[first]
            seen = self._origins[origin] = _Seen()
        return seen


def _fails(seen: _Seen, callback: str) -> bool:
    """Returns whether so many callbacks failed within the time that it is no tenant's own fault."""
    now_s = monotonic_s()
    if now_s - seen.failing_since_s > WITHIN_S:
        seen.failing_since_s = now_s
        seen.failing.clear()
    if len(seen.failing) < CALLBACKS_MIN:
        seen.failing.add(callback)
    return len(seen.failing) >= CALLBACKS_MIN


def report_breakers(turned: Sequence[Turned]) -> None:
    """Logs which origins are held from now on and why, and which no longer."""
    for origin, cause, error in turned:
        match cause:
            case Blame.UNREACHABLE:
                _log.info("breaker open", origin=origin, why="cannot be reached", detail=error)
            case Blame.FAILING:
                detail = error or "all that is under way is silent"
                _log.info("breaker open", origin=origin, why="nobody succeeds there", detail=detail)
            case Blame.CALLBACK:
                _log.info("breaker closed", origin=origin)
