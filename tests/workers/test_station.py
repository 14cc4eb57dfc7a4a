"""One list's station, on lists of a test's making: capacity, wake-ups, faults, the end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from hub.clock import monotonic_s
from hub.store.results import Claimed, StoreFull, StoreUnavailable
from tests.workers.waiting import eventually
from workers.hold import Hold, Terms
from workers.station import GATHER_S, Station

TERMS = Terms(lease_s=30, start_within_s=8)
LONG_MS = 60_000


class WorkList:
    """Work that falls due when a test says so; each piece is done when it is released."""

    def __init__(self) -> None:
        self.due: list[str] = []
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.asked_for: list[int] = []
        self.faults: list[Exception] = []
        self.answer_after = asyncio.Event()
        self.answer_after.set()
        self.may_end: dict[str, asyncio.Event] = {}

    async def claim(self, free: int) -> Claimed[str]:
        self.asked_for.append(free)
        taken, self.due = self.due[:free], self.due[free:]
        wait_ms = 0 if self.due else LONG_MS
        await self.answer_after.wait()
        if self.faults:
            raise self.faults.pop(0)
        return Claimed(wait_ms=wait_ms, claims=taken)

    async def work(self, name: str, _hold: Hold) -> None:
        self.begun.append(name)
        await self.may_end.setdefault(name, asyncio.Event()).wait()
        self.ended.append(name)

    def release(self, *names: str) -> None:
        for name in names:
            self.may_end.setdefault(name, asyncio.Event()).set()


@contextlib.asynccontextmanager
async def attended(station: Station[str]) -> AsyncIterator[None]:
    task = asyncio.create_task(station.attend())
    try:
        yield
        assert not task.done() or task.exception() is None
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def work_list() -> WorkList:
    return WorkList()


@pytest.fixture
async def station(work_list: WorkList) -> Station[str]:
    return Station("list", claim=work_list.claim, work=work_list.work, capacity=2, terms=TERMS)


async def test_no_more_is_under_way_than_there_is_room_for(
    station: Station[str], work_list: WorkList
) -> None:
    work_list.due = ["a", "b", "c"]
    async with attended(station):
        await eventually(lambda: work_list.begun == ["a", "b"], 1)
        assert not station.has_room
        work_list.release("a")
        await eventually(lambda: work_list.begun == ["a", "b", "c"], 0.5)
    assert work_list.asked_for == [2, 1]


def large(work_list: WorkList, *, capacity: int = 8, gather_s: float = GATHER_S) -> Station[str]:
    station = Station(
        "list", claim=work_list.claim, work=work_list.work, capacity=capacity, terms=TERMS
    )
    station.gather_s = gather_s
    return station


async def test_a_station_that_was_full_claims_again_once_a_quarter_of_it_is_free(
    work_list: WorkList,
) -> None:
    work_list.due = list("abcdefghijk")
    async with attended(large(work_list, gather_s=60)):
        await eventually(lambda: len(work_list.begun) == 8, 1)
        work_list.release("a")
        await eventually(lambda: work_list.ended == ["a"], 1)
        await asyncio.sleep(5 * GATHER_S)
        assert work_list.asked_for == [8]
        work_list.release("b")
        await eventually(lambda: len(work_list.begun) == 10, 0.5)
    assert work_list.asked_for == [8, 2]


async def test_slow_work_keeps_what_is_due_waiting_for_a_moment_only(
    work_list: WorkList,
) -> None:
    work_list.due = list("abcdefghijk")
    async with attended(large(work_list)):
        await eventually(lambda: len(work_list.begun) == 8, 1)
        for number, name in enumerate("abc", start=1):
            work_list.release(name)
            await eventually(lambda: len(work_list.begun) == 8 + number, 0.5)  # noqa: B023
    assert work_list.asked_for == [8, 1, 1, 1]


async def test_work_that_it_is_given_meanwhile_does_not_keep_what_is_due_waiting(
    work_list: WorkList,
) -> None:
    station = large(work_list, capacity=16)
    work_list.due = list("abcdefghijklmnopqrs")
    async with attended(station):
        await eventually(lambda: len(work_list.begun) == 16, 1)
        work_list.release("a", "b", "c")
        await eventually(lambda: len(work_list.ended) == 3, 1)
        station.take("given", claimed_at_s=monotonic_s())
        await eventually(lambda: "q" in work_list.begun, 0.5)


async def test_a_station_that_was_not_full_claims_nothing_when_work_ends(
    work_list: WorkList,
) -> None:
    work_list.due = list("abcdefg")
    async with attended(large(work_list)):
        await eventually(lambda: len(work_list.begun) == 7, 1)
        work_list.release(*"abcdefg")
        await eventually(lambda: len(work_list.ended) == 7, 1)
        await asyncio.sleep(5 * GATHER_S)
    assert work_list.asked_for == [8]


async def test_a_ring_during_a_claim_is_not_lost(
    station: Station[str], work_list: WorkList
) -> None:
    work_list.answer_after.clear()
    async with attended(station):
        await eventually(lambda: len(work_list.asked_for) == 1, 1)
        work_list.due = ["late"]
        station.ring()
        work_list.answer_after.set()
        await eventually(lambda: work_list.begun == ["late"], 0.5)


async def test_a_station_sleeps_until_it_is_rung(
    station: Station[str], work_list: WorkList
) -> None:
    async with attended(station):
        await eventually(lambda: len(work_list.asked_for) == 1, 1)
        work_list.due = ["a"]
        station.ring()
        await eventually(lambda: work_list.begun == ["a"], 0.5)
    assert len(work_list.asked_for) == 2


@pytest.mark.parametrize(
    "fault", [StoreUnavailable("away"), StoreFull("full"), KeyError("a poisoned record")]
)
async def test_a_failing_claim_does_not_end_the_work(
    station: Station[str], work_list: WorkList, fault: Exception
) -> None:
    work_list.faults = [fault]
    async with attended(station):
        await eventually(lambda: not work_list.faults, 1)
        work_list.due = ["a"]
        await eventually(lambda: work_list.begun == ["a"], 1)


async def test_a_poisoned_list_does_not_spin(station: Station[str], work_list: WorkList) -> None:
    work_list.faults = [KeyError("a poisoned record") for _ in range(1000)]
    async with attended(station):
        await asyncio.sleep(0.2)
    assert len(work_list.asked_for) == 1


async def test_failed_work_gives_its_room_back_and_tells_nobody_else(
    work_list: WorkList,
) -> None:
    async def work(name: str, hold: Hold) -> None:
        await work_list.work(name, hold)
        raise RuntimeError(name)

    station = Station("list", claim=work_list.claim, work=work, capacity=1, terms=TERMS)
    untold: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: untold.append(context))
    work_list.release("a", "b")
    work_list.due = ["a", "b"]
    async with attended(station):
        await eventually(lambda: work_list.ended == ["a", "b"], 1)
    assert station.has_room
    assert untold == []


async def test_heavy_work_that_shrinks_makes_room_before_it_ends(work_list: WorkList) -> None:
    shrink: Callable[[int], None] | None = None

    async def work(name: str, hold: Hold) -> None:
        nonlocal shrink
        shrink = shrink or hold.shrink
        await work_list.work(name, hold)

    station = Station(
        "list",
        claim=work_list.claim,
        work=work,
        capacity=4,
        terms=TERMS,
        weigh=lambda name: len(name),
    )
    work_list.due = ["heavy", "b"]
    station.take("heavy", claimed_at_s=monotonic_s())
    work_list.due = ["b"]
    async with attended(station):
        await eventually(lambda: shrink is not None, 1)
        assert work_list.asked_for == []
        assert shrink is not None
        shrink(1)
        await eventually(lambda: "b" in work_list.begun, 0.5)
        assert work_list.asked_for[0] == 3
        work_list.release("heavy", "b")
        await eventually(lambda: len(work_list.ended) == 2, 1)
    await eventually(lambda: station.has_room, 1)
    await station.claim_due()
    assert work_list.asked_for[-1] == 4


async def test_two_that_claim_at_once_take_no_more_than_there_is_room_for(
    station: Station[str], work_list: WorkList
) -> None:
    work_list.due = ["a", "b", "c", "d"]
    await asyncio.gather(station.claim_due(), station.claim_due())
    await asyncio.sleep(0)
    assert work_list.begun == ["a", "b"]


async def test_working_off_goes_on_until_nothing_is_due(
    station: Station[str], work_list: WorkList
) -> None:
    work_list.due = ["a", "b", "c", "d", "e"]
    work_list.release(*work_list.due)
    await station.work_off(5)
    await eventually(lambda: work_list.ended == ["a", "b", "c", "d", "e"], 1)


async def test_working_off_ends_when_its_time_is_gone(
    station: Station[str], work_list: WorkList
) -> None:
    work_list.due = ["a", "b", "c"]
    async with asyncio.timeout(1):
        await station.work_off(0.1)
    assert work_list.begun == ["a", "b"]


async def test_a_closed_station_claims_nothing_and_waits_for_what_is_under_way(
    station: Station[str], work_list: WorkList
) -> None:
    work_list.due = ["a", "b", "c"]
    async with attended(station):
        await eventually(lambda: len(work_list.begun) == 2, 1)
        station.close()
        finishing = asyncio.create_task(station.finish())
        work_list.release("a", "b")
        await asyncio.wait_for(finishing, 1)
    assert work_list.ended == ["a", "b"]
    assert work_list.due == ["c"]
    assert not station.has_room


async def test_what_a_claim_brings_during_the_end_is_still_worked_on(
    station: Station[str], work_list: WorkList
) -> None:
    work_list.due = ["a"]
    work_list.answer_after.clear()
    async with attended(station):
        await eventually(lambda: len(work_list.asked_for) == 1, 1)
        station.close()
        finishing = asyncio.create_task(station.finish())
        await asyncio.sleep(0.02)
        assert not finishing.done()
        work_list.release("a")
        work_list.answer_after.set()
        await asyncio.wait_for(finishing, 1)
        assert work_list.ended == ["a"]


class TestHold:
    def make(self, lease_s: float, start_within_s: float, ago_s: float = 0) -> Hold:
        terms = Terms(lease_s=lease_s, start_within_s=start_within_s)
        return Hold(terms, claimed_at_s=monotonic_s() - ago_s, weight=1, give_back=lambda _: None)

    async def test_a_request_is_started_only_with_enough_of_the_lease_left(self) -> None:
        assert self.make(30, 8, ago_s=7.5).may_start()
        assert not self.make(30, 8, ago_s=8.1).may_start()

    async def test_a_write_is_tried_again_while_redis_is_away(self) -> None:
        faults: list[Exception] = [StoreUnavailable("away"), StoreFull("full")]

        async def write() -> str:
            if faults:
                raise faults.pop()
            return "written"

        assert await self.make(30, 8).insist(write) == "written"

    async def test_a_write_is_given_up_when_the_claim_has_lapsed(self) -> None:
        async def write() -> str:
            raise StoreUnavailable("away")

        with pytest.raises(StoreUnavailable):
            await self.make(30, 8, ago_s=31).insist(write)
