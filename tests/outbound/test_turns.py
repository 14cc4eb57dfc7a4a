"""Whose turn it is at a host, and what never was sent."""

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable

import pytest

from hub.outbound.door import Door, DoorConfig
from hub.outbound.request import Addressee, Answer, NoAnswer, Purpose, Reason, Request, TooLong
from hub.outbound.sending import Batch, Sending
from tests.outbound.conftest import LOOPBACK

Serve = Callable[..., Awaitable[str]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
POST = Request(
    purpose=Purpose.DELIVERY,
    method="POST",
    url="",
    body=b"news",
    deadline_s=10,
    max_body_bytes=1000,
    too_long=TooLong.CUT,
)


class Slow:
    """A server that answers when it is told to."""

    def __init__(self) -> None:
        self.paths: list[bytes] = []
        self.may_answer = asyncio.Event()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            if head.startswith(b"POST"):
                await reader.readexactly(4)
            self.paths.append(head.split(b" ")[1])
            await self.may_answer.wait()
            writer.write(OK)

    async def until_heard(self, count: int) -> None:
        async with asyncio.timeout(3):
            while len(self.paths) < count:  # noqa: ASYNC110 - nobody else tells
                await asyncio.sleep(0.005)


@pytest.fixture
async def slow() -> Slow:
    return Slow()


@pytest.fixture
async def one_at_once(open_door: Callable[[DoorConfig], Door]) -> Door:
    return open_door(
        DoorConfig(
            user_agent="hub-test",
            topics_allow=LOOPBACK,
            callbacks_allow=LOOPBACK,
            requests_at_once_per_host=1,
        )
    )


async def test_what_waits_for_its_turn_can_be_withdrawn_and_is_never_sent(
    one_at_once: Door, serve: Serve, slow: Slow
) -> None:
    url = await serve(slow.handle)
    first, second, third = one_at_once.send(
        [dataclasses.replace(POST, url=f"{url}/{n}") for n in range(3)]
    )
    await slow.until_heard(1)
    assert not first.withdraw()
    assert second.withdraw()
    assert not second.withdraw()
    slow.may_answer.set()
    assert isinstance(await first, Answer)
    assert isinstance(await third, Answer)
    outcome = await second
    assert isinstance(outcome, NoAnswer)
    assert outcome.reason is Reason.NOT_STARTED
    assert slow.paths == [b"/0", b"/2"]
    assert not first.withdraw()


async def test_a_request_is_withdrawn_or_begun_and_never_both(
    open_door: Callable[[DoorConfig], Door], serve: Serve, slow: Slow
) -> None:
    slow.may_answer.set()
    door = open_door(DoorConfig(user_agent="x", callbacks_allow=LOOPBACK))
    url = await serve(slow.handle)
    withdrawn: set[bytes] = set()
    for number in range(300):
        path = b"/%d" % number
        (future,) = door.send([dataclasses.replace(POST, url=url + path.decode())])
        # Just when the thread takes it up, sooner or later.
        for _ in range(number % 7):
            await asyncio.sleep(0)
        if future.withdraw():
            withdrawn.add(path)
        else:
            assert isinstance(await future, Answer)
    assert not withdrawn & set(slow.paths)
    assert len(withdrawn) + len(slow.paths) == 300
    assert withdrawn
    assert slow.paths


async def test_whoever_decides_first_decides() -> None:
    dropped: list[Sending] = []
    loop = asyncio.get_running_loop()
    to = [Addressee("http://one/"), Addressee("http://other/")]
    begun, withdrawn = Batch(POST, to, loop=loop, on_drop=dropped.append).sendings
    assert begun.begin()
    assert not begun.withdraw()
    assert withdrawn.withdraw()
    assert not withdrawn.begin()
    assert not withdrawn.is_begun
    assert dropped == [withdrawn]


async def test_the_door_forgets_what_was_withdrawn(
    one_at_once: Door, serve: Serve, slow: Slow
) -> None:
    url = await serve(slow.handle)
    first, second = one_at_once.send([dataclasses.replace(POST, url=url)] * 2)
    await slow.until_heard(1)
    assert second.withdraw()
    assert one_at_once._open == {first.batch}


async def test_purposes_do_not_wait_for_each_other(
    one_at_once: Door, serve: Serve, slow: Slow
) -> None:
    url = await serve(slow.handle)
    get = dataclasses.replace(POST, method="GET", body=None, url=url)
    requests = [dataclasses.replace(get, purpose=purpose) for purpose in Purpose]
    answers = one_at_once.send([*requests, *requests])
    await slow.until_heard(len(Purpose))
    await asyncio.sleep(0.05)
    assert len(slow.paths) == len(Purpose)
    slow.may_answer.set()
    assert all(isinstance(answer, Answer) for answer in await asyncio.gather(*answers))


async def test_so_many_are_started_in_a_second(
    open_door: Callable[[DoorConfig], Door], serve: Serve, slow: Slow
) -> None:
    door = open_door(
        DoorConfig(
            user_agent="hub-test",
            topics_allow=LOOPBACK,
            callbacks_allow=LOOPBACK,
            requests_per_second_per_host=20,
        )
    )
    slow.may_answer.set()
    url = await serve(slow.handle)
    began_s = time.monotonic()
    answers = door.send([dataclasses.replace(POST, url=f"{url}/{n}") for n in range(8)])
    done = await asyncio.gather(*answers)
    assert all(isinstance(answer, Answer) for answer in done)
    # The first starts at once; one that is woken late may be caught up by the next.
    assert time.monotonic() - began_s >= 6 / 20
    assert slow.paths == [b"/%d" % n for n in range(8)]


async def test_a_worker_that_hears_of_others_takes_its_part_of_a_host(
    open_door: Callable[[DoorConfig], Door], serve: Serve, slow: Slow
) -> None:
    door = open_door(
        DoorConfig(
            user_agent="hub-test",
            topics_allow=LOOPBACK,
            callbacks_allow=LOOPBACK,
            requests_at_once_per_host=4,
        )
    )
    door.share_limits(2)
    url = await serve(slow.handle)
    sent = door.send([dataclasses.replace(POST, url=f"{url}/{n}") for n in range(6)])
    await slow.until_heard(2)
    assert [sending.withdraw() for sending in sent] == [False] * 2 + [True] * 4
    slow.may_answer.set()
    await asyncio.gather(*sent[:2])


async def test_so_many_are_under_way_in_all_whatever_the_host(
    open_door: Callable[[DoorConfig], Door], serve: Serve, slow: Slow
) -> None:
    door = open_door(
        DoorConfig(
            user_agent="x",
            topics_allow=LOOPBACK,
            callbacks_allow=LOOPBACK,
            requests_at_once_in_all=4,
        )
    )
    door.share_limits(2)
    urls = [await serve(slow.handle, host=f"127.0.0.{number}") for number in range(1, 6)]
    under_way = door.send([dataclasses.replace(POST, url=url) for url in urls])
    await slow.until_heard(2)
    # The other purposes count as well, and what may not start yet can be withdrawn.
    fetch = dataclasses.replace(POST, purpose=Purpose.FETCH, url=urls[4])
    (waiting,) = door.send([fetch])
    assert waiting.is_in_line
    assert waiting.withdraw()
    assert len(slow.paths) == 2
    slow.may_answer.set()
    assert {type(outcome) for outcome in await asyncio.gather(*under_way)} == {Answer}
    assert len(slow.paths) == 5
