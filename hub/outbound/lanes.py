"""Whose turn it is: so many requests at once to one origin, the rest in a queue of its own.

libcurl has such a limit, but it looks at one waiting transfer at a time, whichever host that is
for: one slow host with a queue then holds up all others that have one.
"""

import heapq
import itertools
import sys
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)
_STALE_MAX = 64


class Share:
    """This process's part of the limits that hold for all workers together.

    It may be changed while requests are under way, also by another thread.

    Attributes:
        at_once: how many requests may be under way to one origin.
        spacing_s: the seconds between the starts of two requests to one origin, 0 for none.
        in_all: how many requests may be under way to all origins.
    """

    def __init__(self, *, at_once: int, per_second: float = 0.0, in_all: int = 0) -> None:
        """The whole of each; 0 per second and 0 in all for no such limit."""
        self._at_once = at_once
        self._per_second = per_second
        self._in_all = in_all
        self.divide(1)

    def divide(self, workers: int) -> None:
        """Takes the part of one of so many workers; one request at once is the least."""
        workers = max(1, workers)
        self.at_once = max(1, self._at_once // workers)
        self.spacing_s = workers / self._per_second if self._per_second else 0.0
        self.in_all = max(1, self._in_all // workers) if self._in_all else sys.maxsize


class _Lane(Generic[T]):
    """One origin: how many are under way, who waits, and from when on the next one may start."""

    __slots__ = ("is_to_be_woken", "next_at", "under_way", "waiting")

    def __init__(self) -> None:
        self.under_way = 0
        self.waiting: deque[T] = deque()
        self.next_at = 0.0
        self.is_to_be_woken = False


class Lanes(Generic[T]):
    """Admits to each origin what the share allows, first come, first served."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self._lanes: dict[Hashable, _Lane[T]] = {}
        self._waiting: set[T] = set()
        self._ends: list[tuple[float, int, T]] = []
        self._wakes: list[tuple[float, int, Hashable]] = []
        self._numbers = itertools.count()

    def enter(self, origin: Hashable, item: T, *, now: float, ends_at: float) -> bool:
        """Whether `item` may start now; otherwise it waits for its turn, until `ends_at`."""
        lane = self._lanes.get(origin)
        if lane is None:
            lane = self._lanes[origin] = _Lane()
        if lane.under_way < self._share.at_once and lane.next_at <= now:
            self._start(lane, now)
            return True
        lane.waiting.append(item)
        self._waiting.add(item)
        heapq.heappush(self._ends, (ends_at, next(self._numbers), item))
        self._wake(origin, lane, now)
        return False

    def leave(self, origin: Hashable) -> bool:
        """Gives back the place of one that ended; whether `turn` is to be asked who gets it."""
        lane = self._lanes[origin]
        lane.under_way -= 1
        return bool(lane.waiting) or not lane.under_way

    def turn(self, origin: Hashable, now: float) -> T | None:
        """Who may start now, to be asked until it is None: nobody waits, or may start yet."""
        lane = self._lanes[origin]
        while lane.waiting and lane.under_way < self._share.at_once and lane.next_at <= now:
            item = lane.waiting.popleft()
            if self.forget(item):
                # What was woken a little late may catch up, by one request.
                self._start(lane, max(lane.next_at, now - self._share.spacing_s))
                return item
        self._wake(origin, lane, now)
        if not (lane.under_way or lane.waiting or lane.is_to_be_woken):
            del self._lanes[origin]
        return None

    def woken(self, now: float) -> list[Hashable]:
        """The origins in which somebody's turn may have come by the clock."""
        found: list[Hashable] = []
        while self._wakes and self._wakes[0][0] <= now:
            origin = heapq.heappop(self._wakes)[2]
            self._lanes[origin].is_to_be_woken = False
            found.append(origin)
        return found

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

    def next_at(self) -> float | None:
        """When to ask `expired` and `woken` next, at the latest; None where nobody waits."""
        firsts = [heap[0][0] for heap in (self._ends, self._wakes) if heap]
        return min(firsts) if firsts else None

    def _start(self, lane: _Lane[T], at: float) -> None:
        lane.under_way += 1
        lane.next_at = at + self._share.spacing_s

    def _wake(self, origin: Hashable, lane: _Lane[T], now: float) -> None:
        """Has the clock call, where it decides; an idle lane is kept until then for its time."""
        if lane.next_at > now and not lane.is_to_be_woken:
            lane.is_to_be_woken = True
            heapq.heappush(self._wakes, (lane.next_at, next(self._numbers), origin))
