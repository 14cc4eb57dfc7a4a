"""What is wanted often, and done once in a while: a look at Redis, a line in the log."""

from math import inf

from hub.clock import monotonic_s


class Seldom:
    """Says yes once in some seconds, however often it is asked, and at once the first time."""

    def __init__(self, *, interval_s: float) -> None:
        self._interval_s = interval_s
        self._next_at_s = -inf

    def is_due(self) -> bool:
        """Returns whether to do it now."""
        now_s = monotonic_s()
        if now_s < self._next_at_s:
            return False
        self._next_at_s = now_s + self._interval_s
        return True
