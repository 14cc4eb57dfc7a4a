"""One work list in one worker process: claims what is due, works, and sleeps until the bell."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

from hub.clock import monotonic_s
from hub.store.results import Claimed, StoreFull, StoreUnavailable
from workers.hold import Hold, Terms

T = TypeVar("T")
_log = structlog.get_logger()

STORE_RETRY_S = 0.5
# A bell may be lost, so nobody sleeps for longer.
LONGEST_SLEEP_S = 1.0
# A station that was full claims again once a quarter of it is free, or after so long: work that
# ends one by one would cost a claim each, and slow work keeps nobody waiting.
GATHER_S = 0.01


class Station(Generic[T]):
    """Works on one list, as much of it at once as its capacity allows.

    Claims make it safe that several stations, arq jobs and processes work on one list.

    Attributes:
        name: of the work list.
        gather_s: how long less room than a quarter waits for more, once there was none.
    """

    def __init__(
        self,
        name: str,
        *,
        claim: Callable[[int], Awaitable[Claimed[T]]],
        work: Callable[[T, Hold], Awaitable[None]],
        capacity: int,
        terms: Terms,
        weigh: Callable[[T], int] = lambda _: 1,
    ) -> None:
        """Starts nothing yet.

        Args:
            name: of the work list.
            claim: takes what is due, given how much capacity is free.
            work: does it; settles it too.
            capacity: how much is worked on at once.
            terms: of the claims.
            weigh: how much of the capacity a claim takes.
        """
        self.name = name
        self.gather_s = GATHER_S
        self._claim = claim
        self._work = work
        self._weigh = weigh
        self._terms = terms
        self._free = capacity
        self._quarter = max(1, capacity // 4)
        self._is_full = False
        self._bell = asyncio.Event()
        self._claiming = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_open = True

    @property
    def has_room(self) -> bool:
        """Returns whether more work can be taken now."""
        return self._is_open and self._free > 0

    def ring(self) -> None:
        """Wakes the station, since something fell due."""
        self._bell.set()

    def take(self, claim: T, *, claimed_at_s: float) -> None:
        """Begins work on a claim; `claimed_at_s` is from before it was asked for."""
        weight = self._weigh(claim)
        self._free -= weight
        if self._free <= 0:
            self._is_full = True
        hold = Hold(
            self._terms, claimed_at_s=claimed_at_s, weight=weight, give_back=self._take_back
        )
        task = asyncio.create_task(self._carry_out(claim, hold))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def attend(self) -> None:
        """Works until the station is closed; survives Redis being away, and faults of ours."""
        while self._is_open:
            await self._sleep(await self.claim_due())

    async def work_off(self, within_s: float) -> None:
        """Claims what is due until nothing is, or the time is gone."""
        until_s = monotonic_s() + within_s
        while self._is_open and (left_s := until_s - monotonic_s()) > 0:
            wait_s = await self.claim_due()
            if self.has_room and wait_s > 0:
                return
            await self._sleep(min(wait_s, left_s))

    async def claim_due(self) -> float:
        """Claims what is due and begins work on it; returns how many seconds may be slept then."""
        async with self._claiming:
            self._bell.clear()
            if not self.has_room:
                return LONGEST_SLEEP_S
            claimed_at_s = monotonic_s()
            try:
                claimed = await self._claim(self._free)
            except (StoreUnavailable, StoreFull) as error:
                _log.warning("store unavailable", list=self.name, error=str(error))
                return STORE_RETRY_S
            except Exception:  # noqa: BLE001 - logged with its traceback
                # One record that cannot be read must not end the work on all others.
                _log.exception("claims failed", list=self.name)
                return STORE_RETRY_S
            for claim in claimed.claims:
                self.take(claim, claimed_at_s=claimed_at_s)
        return claimed.wait_ms / 1000 if self.has_room else LONGEST_SLEEP_S

    def close(self) -> None:
        """Claims nothing more."""
        self._is_open = False
        self._bell.set()

    async def finish(self) -> None:
        """Returns when nothing is under way any more; to be closed before."""
        async with self._claiming:
            pass
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _carry_out(self, claim: T, hold: Hold) -> None:
        try:
            await self._work(claim, hold)
        except (StoreUnavailable, StoreFull) as error:
            # The claim lapses, and what it held falls due again.
            _log.warning("not settled", list=self.name, error=str(error))
        except Exception:  # noqa: BLE001 - logged with its traceback
            # Nobody waits for this task, so this is the one place that can tell.
            _log.exception("work failed", list=self.name)
        finally:
            hold.shrink(0)

    def _take_back(self, weight: int) -> None:
        had_room = self._free > 0
        self._free += weight
        if self._free >= self._quarter:
            self._tell_of_room()
        elif self._free > 0 and not had_room:
            asyncio.get_running_loop().call_later(self.gather_s, self._tell_of_room)

    def _tell_of_room(self) -> None:
        if self._is_full and self._free > 0:
            self._is_full = False
            self._bell.set()

    async def _sleep(self, wait_s: float) -> None:
        if not self._is_open:
            return
        try:
            async with asyncio.timeout(wait_s):
                await self._bell.wait()
        except TimeoutError:
            pass
