"""Requests past patience: what they take of the capacity and of the slots, and what comes back."""

import asyncio
import resource

import pytest

from hub.clock import monotonic_s
from hub.outbound.request import Addressee, Answer, NoAnswer, Purpose, Reason, Request, TooLong
from hub.outbound.sending import Batch, Sending
from hub.settings import Settings
from tests.workers.waiting import eventually
from workers.hold import Hold, Terms
from workers.slow import Slots, answer_to, slots_within

GET = Request(
    purpose=Purpose.FETCH,
    method="GET",
    url="http://t.example/",
    deadline_s=20,
    max_body_bytes=1,
    too_long=TooLong.FAIL,
)
ANSWER = Answer(status=200, headers=(), body=b"", url="http://t.example/", elapsed_s=0)
PATIENCE_S = 0.02


class Capacity:
    def __init__(self) -> None:
        self.given_back = 0

    def hold(self) -> Hold:
        return Hold(
            Terms(lease_s=30, start_within_s=8),
            claimed_at_s=monotonic_s(),
            weight=1,
            give_back=self.take_back,
        )

    def take_back(self, weight: int) -> None:
        self.given_back += weight


@pytest.fixture
def capacity() -> Capacity:
    return Capacity()


def sending_of_its_own() -> Sending:
    loop = asyncio.get_running_loop()
    return Batch(GET, [Addressee(GET.url)], loop=loop, on_drop=lambda _: None).sendings[0]


@pytest.fixture
async def sending() -> Sending:
    return sending_of_its_own()


async def asked(
    sending: Sending, capacity: Capacity, slots: Slots
) -> "asyncio.Task[Answer | NoAnswer]":
    """Returns the task after some time past its patience."""
    hold = capacity.hold()
    task = asyncio.create_task(answer_to(sending, hold, slots, patience_s=PATIENCE_S))
    await asyncio.sleep(5 * PATIENCE_S)
    return task


async def test_what_is_under_way_gives_back_its_part_for_a_slot(
    sending: Sending, capacity: Capacity
) -> None:
    slots = Slots(1)
    sending.begin()
    task = await asked(sending, capacity, slots)
    assert (capacity.given_back, slots.free) == (1, 0)
    sending.set_result(ANSWER)
    assert await task is ANSWER
    assert slots.free == 1


async def test_without_a_slot_it_keeps_its_part_until_there_is_one(
    sending: Sending, capacity: Capacity
) -> None:
    slots = Slots(0)
    sending.begin()
    task = await asked(sending, capacity, slots)
    assert capacity.given_back == 0
    slots.free = 1
    await asyncio.sleep(5 * PATIENCE_S)
    assert (capacity.given_back, slots.free) == (1, 0)
    sending.set_result(ANSWER)
    assert await task is ANSWER


async def test_what_has_no_turn_within_patience_is_withdrawn(
    sending: Sending, capacity: Capacity
) -> None:
    task = await asked(sending, capacity, Slots(1))
    outcome = await task
    assert isinstance(outcome, NoAnswer)
    assert outcome.reason is Reason.NOT_STARTED
    assert not sending.begin()


async def test_what_answers_in_time_takes_no_slot(sending: Sending, capacity: Capacity) -> None:
    sending.begin()
    sending.set_result(ANSWER)
    slots = Slots(1)
    assert await answer_to(sending, capacity.hold(), slots, patience_s=5) is ANSWER
    assert (capacity.given_back, slots.free) == (0, 1)


async def test_each_has_patience_of_its_own(capacity: Capacity) -> None:
    slots, hasty, patient = Slots(1), sending_of_its_own(), sending_of_its_own()
    first = asyncio.create_task(answer_to(hasty, capacity.hold(), slots, patience_s=PATIENCE_S))
    second = asyncio.create_task(answer_to(patient, capacity.hold(), slots, patience_s=60))
    assert isinstance(await first, NoAnswer)
    assert not patient.done()
    patient.set_result(ANSWER)
    assert await second is ANSWER


class Looked(Sending):
    """Counts how often it is looked at."""

    looks = 0

    def done(self) -> bool:
        self.looks += 1
        return super().done()


def looked() -> Looked:
    batch = sending_of_its_own().batch
    return Looked(batch, Addressee(GET.url), loop=asyncio.get_running_loop())


async def test_only_who_is_due_is_looked_at(capacity: Capacity) -> None:
    slots, in_slot, later = Slots(1), looked(), looked()
    in_slot.begin()
    slots.watch(in_slot, capacity.hold(), patience_s=PATIENCE_S)
    await eventually(lambda: slots.free == 0, 5)
    looks = in_slot.looks
    others = [sending_of_its_own() for _ in range(5)]
    for other in others:
        slots.watch(other, capacity.hold(), patience_s=PATIENCE_S)
        await asyncio.sleep(PATIENCE_S / 10)
    slots.watch(later, capacity.hold(), patience_s=60)
    await eventually(lambda: all(other.done() for other in others), 5)
    assert (in_slot.looks, later.looks) == (looks, 0)


async def test_without_slots_all_wait_on_in_turn(capacity: Capacity) -> None:
    slots, sendings = Slots(0), [sending_of_its_own() for _ in range(3)]
    for sending in sendings:
        sending.begin()
        slots.watch(sending, capacity.hold(), patience_s=PATIENCE_S)
    await asyncio.sleep(5 * PATIENCE_S)
    for given_back in (1, 2, 3):
        slots.free += 1
        await eventually(lambda given_back=given_back: capacity.given_back == given_back, 5)  # type: ignore[misc]
    for sending in sendings:
        slots.forget(sending)
    assert slots.free == 3


async def test_what_goes_wrong_with_one_does_not_keep_the_others_waiting(
    sending: Sending, capacity: Capacity
) -> None:
    def refuse(_: int) -> None:
        raise RuntimeError("not taken back")

    faults: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: faults.append(context.get("exception")))
    slots, other = Slots(2), sending_of_its_own()
    broken = Hold(
        Terms(lease_s=30, start_within_s=8), claimed_at_s=monotonic_s(), weight=1, give_back=refuse
    )
    for one, hold in ((sending, broken), (other, capacity.hold())):
        one.begin()
        slots.watch(one, hold, patience_s=PATIENCE_S)
    await eventually(lambda: capacity.given_back == 1, 5)
    assert [str(fault) for fault in faults] == ["not taken back"]
    slots.forget(sending)
    slots.forget(other)
    assert slots.free == 2


async def test_who_comes_while_another_waits_is_looked_at_as_well(
    sending: Sending, capacity: Capacity
) -> None:
    slots = Slots(1)
    sending.set_result(ANSWER)
    await answer_to(sending, capacity.hold(), slots, patience_s=PATIENCE_S)
    outcome = await answer_to(
        sending_of_its_own(), capacity.hold(), slots, patience_s=2 * PATIENCE_S
    )
    assert isinstance(outcome, NoAnswer)


@pytest.mark.parametrize(
    ("descriptors", "at_once", "slots"),
    [(resource.RLIM_INFINITY, 128, 2_000), (65_536, 128, 2_000), (1_024, 128, 64), (256, 128, 1)],
)
def test_slots_leave_descriptors_for_the_rest(descriptors: int, at_once: int, slots: int) -> None:
    assert slots_within(Settings(requests_at_once=at_once), descriptors) == slots
