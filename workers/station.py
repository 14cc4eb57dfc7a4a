"""One work list in one worker process: claims what is due, works, and sleeps until the bell."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

from hub.store.results import Claimed, StoreFull, StoreUnavailable

T = TypeVar("T")
_log = structlog.get_logger()

STORE_RETRY_S = 0.5


class Station(Generic[T]):
    """Works on one list, as much of it at once as its capacity allows.

    Claims make it safe that several stations, arq jobs and processes work on one list.
    """

    def __init__(
        self,
        name: str,
        *,
        claim: Callable[[int], Awaitable[Claimed[T]]],
        work: Callable[[T], Awaitable[None]],
        capacity: int,
        weigh: Callable[[T], int] = lambda _: 1,
    ) -> None:
        """Starts nothing yet.

        Args:
            name: of the work list.
            claim: takes what is due, given how much capacity is free.
            work: does it; settles it too.
            capacity: how much is worked on at once.
            weigh: how much of the capacity a claim takes.
        """
        self.name = name
        self._claim = claim
        self._work = work
        self._weigh = weigh
        self._free = capacity
        self._bell = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_open = True

    def ring(self) -> None:
        """Wakes the station, since something fell due."""
        self._bell.set()

    def take(self, claim: T) -> None:
        """Begins work on a claim that somebody else has made for this station."""
        weight = self._weigh(claim)
        self._free -= weight
        task = asyncio.create_task(self._carry_out(claim, weight))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def attend(self) -> None:
        """Works until the station is closed; survives Redis being away."""
        while self._is_open:
            try:
                wait_s = await self.claim_due()
            except (StoreUnavailable, StoreFull) as error:
                _log.warning("store unavailable", list=self.name, error=str(error))
                wait_s = STORE_RETRY_S
            await self._sleep(wait_s)

    async def claim_due(self) -> float:
        """Claims what is due and begins work on it; returns how many seconds may be slept then."""
        self._bell.clear()
        if self._free <= 0 or not self._is_open:
            return 1.0
        claimed = await self._claim(self._free)
        for claim in claimed.claims:
            self.take(claim)
        return claimed.wait_ms / 1000 if self._free > 0 else 1.0

    async def close(self, within_s: float) -> None:
        """Claims nothing more, and waits for what is under way, but not longer than given."""
        self._is_open = False
        self._bell.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_s)

    async def _carry_out(self, claim: T, weight: int) -> None:
        try:
            await self._work(claim)
        except (StoreUnavailable, StoreFull) as error:
            # The claim lapses, and what it held falls due again.
            _log.warning("not settled", list=self.name, error=str(error))
        except Exception:
            _log.exception("work failed", list=self.name)
            raise
        finally:
            self._free += weight
            self._bell.set()

    async def _sleep(self, wait_s: float) -> None:
        if not self._is_open:
            return
        try:
            async with asyncio.timeout(wait_s):
                await self._bell.wait()
        except TimeoutError:
            pass
