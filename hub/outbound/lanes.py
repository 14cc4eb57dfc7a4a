"""Whose turn it is: so many requests at once to one origin, the rest in a queue of its own.

libcurl has such a limit, but it looks at one waiting transfer at a time, whichever host that is
for: one slow host with a queue then holds up all others that have one.
"""

import heapq
import itertools
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)
_STALE_MAX = 64


class _Lane(Generic[T]):
    """One origin: how many are under way, and who waits."""

    __slots__ = ("under_way", "waiting")

    def __init__(self) -> None:
        self.under_way = 0
        self.waiting: deque[T] = deque()


class Lanes(Generic[T]):
    """Admits up to `width` at once to each origin, first come, first served."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._lanes: dict[Hashable, _Lane[T]] = {}
        self._waiting: set[T] = set()
        self._ends: list[tuple[float, int, T]] = []
        self._numbers = itertools.count()

    def enter(self, origin: Hashable, item: T, ends_at: float) -> bool:
        """Whether `item` may start now; otherwise it waits for a `leave`, until `ends_at`."""
        lane = self._lanes.setdefault(origin, _Lane())
        if lane.under_way < self._width:
            lane.under_way += 1
            return True
        lane.waiting.append(item)
        self._waiting.add(item)
        heapq.heappush(self._ends, (ends_at, next(self._numbers), item))
        return False

    def leave(self, origin: Hashable) -> T | None:
        """Who starts in the place of one that ended; None where nobody waits."""
        lane = self._lanes[origin]
        while lane.waiting:
            item = lane.waiting.popleft()
            if self.forget(item):
                return item
        lane.under_way -= 1
        if not lane.under_way:
            del self._lanes[origin]
        return None

    def forget(self, item: T) -> bool:
        """Whether `item` was waiting; it no longer is."""
        if item not in self._waiting:
            return False
        self._waiting.remove(item)
        if len(self._ends) > 2 * len(self._waiting) + _STALE_MAX:
            # Else what was started long ago would be kept alive until its end.
            self._ends = [entry for entry in self._ends if entry[2] in self._waiting]
            heapq.heapify(self._ends)
        return True

    def expired(self, now: float) -> list[T]:
        """Those that waited until their end; they no longer do."""
        gone: list[T] = []
        while self._ends and self._ends[0][0] <= now:
            item = heapq.heappop(self._ends)[2]
            if self.forget(item):
                gone.append(item)
        return gone

    def next_end(self) -> float | None:
        """When to call `expired` next, at the latest; None where nobody waits."""
        return self._ends[0][0] if self._ends else None
