"""Whose failure it is, the callback's or its origin's: what this worker saw lately (design 7)."""

import re
from dataclasses import dataclass, field

from hub.clock import monotonic_s
from hub.outbound.request import Reason
from hub.store.outcomes import Blame

CALLBACKS_MIN = 3
WITHIN_S = 60.0
ORIGINS_MAX = 10_000
UNREACHABLE = frozenset({Reason.UNRESOLVED, Reason.REFUSED, Reason.TLS})
# These have to do with the URL of one callback.
_ITS_OWN = frozenset({Reason.BAD_URL, Reason.ADDRESS_BLOCKED})
_ORIGIN = re.compile(r"[^/]*//[^/?#]*")


@dataclass(slots=True, kw_only=True)
class _Seen:
    """One origin: when it last took a delivery, and which callbacks have failed since."""

    succeeded_at_s: float = 0.0
    failing_since_s: float = 0.0
    failing: set[str] = field(default_factory=set)


class Witness:
    """Keeps what is needed to judge failures; breakers themselves are in Redis."""

    def __init__(self) -> None:
        self._origins: dict[str, _Seen] = {}

    def hear_success(self, callback: str) -> None:
        """Takes note that a callback answered as it should."""
        seen = self._seen(callback)
        seen.succeeded_at_s = monotonic_s()
        seen.failing.clear()

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
        seen = self._seen(callback)
        if reason in _ITS_OWN or seen.succeeded_at_s >= sent_at_s:
            return Blame.CALLBACK
        if reason in UNREACHABLE:
            return Blame.UNREACHABLE
        if is_probe and reason is not None:
            return Blame.FAILING
        return Blame.FAILING if _fails(seen, callback) else Blame.CALLBACK

    def _seen(self, callback: str) -> _Seen:
        found = _ORIGIN.match(callback)
        origin = callback if found is None else found[0].lower()
        seen = self._origins.get(origin)
        if seen is None:
            if len(self._origins) >= ORIGINS_MAX:
                del self._origins[next(iter(self._origins))]
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
