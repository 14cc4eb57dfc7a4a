"""Servers that hang, flood, break off and lie."""

import asyncio
import contextlib
import dataclasses
import gzip
import ipaddress
import os
import resource
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from hub.outbound.door import Door, DoorConfig
from hub.outbound.request import Answer, NoAnswer, Purpose, Reason, Request, TooLong

Serve = Callable[..., Awaitable[str]]
OpenDoor = Callable[[DoorConfig], Door]

FAIL = Request(
    purpose=Purpose.FETCH,
    method="GET",
    url="",
    deadline_s=5,
    max_body_bytes=1000,
    too_long=TooLong.FAIL,
)
CUT = dataclasses.replace(FAIL, purpose=Purpose.DELIVERY, too_long=TooLong.CUT)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def one(door: Door, request: Request, url: str) -> Answer | NoAnswer:
    return await door.send([dataclasses.replace(request, url=url)])[0]


async def reason(door: Door, request: Request, url: str) -> Reason:
    outcome = await one(door, request, url)
    assert isinstance(outcome, NoAnswer), outcome
    assert outcome.detail.endswith(".")
    return outcome.reason


async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


def saying(*pieces: bytes, then_hang: bool = False, abort: bool = False) -> Callable[..., object]:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if then_hang:
            await asyncio.Event().wait()
        if not abort:
            writer.write_eof()
            await reader.read()

    return handler


def endless(start: bytes, piece: bytes) -> Callable[..., object]:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(start)
        while True:
            writer.write(piece)
            await writer.drain()

    return handler


@pytest.mark.slow
@pytest.mark.parametrize(
    "pieces",
    [(), (b"HTTP/1.1 200 OK\r\n",), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"abc")],
    ids=["says nothing", "stalls in its header", "stalls in its body"],
)
async def test_a_server_that_hangs_is_given_up_at_the_deadline(
    door: Door, serve: Serve, pieces: tuple[bytes, ...]
) -> None:
    url = await serve(saying(*pieces, then_hang=True))
    outcome = await one(door, dataclasses.replace(FAIL, deadline_s=0.3), url)
    assert isinstance(outcome, NoAnswer)
    assert outcome.reason is Reason.TIMED_OUT
    assert 0.29 < outcome.elapsed_s < 0.6


@pytest.mark.slow
async def test_a_slow_trickle_does_not_extend_the_deadline(door: Door, serve: Serve) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
        while True:
            writer.write(b"x")
            await asyncio.sleep(0.01)

    request = dataclasses.replace(FAIL, deadline_s=0.3)
    assert await reason(door, request, await serve(handler)) is Reason.TIMED_OUT


@pytest.mark.slow
async def test_an_ignorable_body_that_stalls_counts_by_its_status(door: Door, serve: Serve) -> None:
    url = await serve(saying(b"HTTP/1.1 204 OK\r\nContent-Length: 9\r\n\r\n", then_hang=True))
    assert isinstance(await one(door, CUT, url), Answer)
    url = await serve(saying(b"HTTP/1.1 201 OK\r\nContent-Length: 9\r\n\r\nabc", then_hang=True))
    outcome = await one(door, dataclasses.replace(CUT, deadline_s=0.2), url)
    assert isinstance(outcome, Answer)
    assert (outcome.status, outcome.body) == (201, b"")


@pytest.mark.slow
async def test_an_interim_response_is_no_answer(door: Door, serve: Serve) -> None:
    url = await serve(saying(b"HTTP/1.1 103 Hints\r\n\r\n", then_hang=True))
    request = dataclasses.replace(CUT, deadline_s=0.2)
    assert await reason(door, request, url) is Reason.TIMED_OUT


async def test_an_endless_body_is_cut_where_it_is_ignorable_and_else_too_long(
    door: Door, serve: Serve
) -> None:
    url = await serve(endless(b"HTTP/1.1 202 OK\r\n\r\n", b"x" * 10_000))
    outcome = await one(door, CUT, url)
    assert isinstance(outcome, Answer)
    assert (outcome.status, outcome.body) == (202, b"")
    assert await reason(door, FAIL, url) is Reason.TOO_LONG


async def test_a_body_of_just_the_limit_is_not_too_long(door: Door, serve: Serve) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
    assert isinstance(await one(door, FAIL, await serve(saying(head % 1000, b"x" * 1000))), Answer)
    url = await serve(saying(head % 1001, b"x" * 1001))
    assert await reason(door, FAIL, url) is Reason.TOO_LONG


@pytest.mark.slow
async def test_a_gzip_bomb_costs_its_limit_and_no_more(door: Door, serve: Serve) -> None:
    bomb = gzip.compress(bytes(100_000_000), 6)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    url = await serve(saying(head, bomb))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    assert await reason(door, FAIL, url) is Reason.TOO_LONG
    assert time.monotonic() - started < 0.25
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X-Flood: %b\r\n" % (b"x" * 1000)),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x" * 1000),
        (b"", b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"),
    ],
    ids=["endless lines", "an endless line", "endless interim responses"],
)
@pytest.mark.parametrize("request_", [FAIL, CUT], ids=["fail", "cut"])
async def test_a_header_bomb_is_no_answer(
    door: Door, serve: Serve, request_: Request, start: bytes, piece: bytes
) -> None:
    got = await reason(door, request_, await serve(endless(start, piece)))
    assert got in {Reason.TOO_LONG, Reason.BROKEN}


async def test_a_header_over_the_bound_is_too_long(door: Door, serve: Serve) -> None:
    lines = b"X: %b\r\n" % (b"x" * 8000)
    url = await serve(saying(b"HTTP/1.1 200 OK\r\n", *[lines] * 9, b"\r\n"))
    assert await reason(door, FAIL, url) is Reason.TOO_LONG


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\x16\x03\x01nonsense\r\n\r\n",
        b"HTTP/9.9 what\r\n\r\n",
        b"HTTP/1.1 20\r\n\r\n",
        b"ok",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nno",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: unheard-of\r\nContent-Length: 2\r\n\r\nno",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
    ],
)
async def test_what_is_no_http_is_broken_and_others_go_on(
    door: Door, serve: Serve, said: bytes
) -> None:
    assert await reason(door, FAIL, await serve(saying(said))) is Reason.BROKEN
    assert isinstance(await one(door, FAIL, await serve(saying(OK))), Answer)


async def test_a_reset_in_the_body_is_broken_unless_the_body_is_ignorable(
    door: Door, serve: Serve
) -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    url = await serve(saying(half, abort=True))
    assert await reason(door, FAIL, url) is Reason.BROKEN
    outcome = await one(door, CUT, url)
    assert isinstance(outcome, Answer)
    assert outcome.status == 200


async def test_a_closed_port_refuses(door: Door, unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}/"
    assert await reason(door, FAIL, url) is Reason.REFUSED


async def test_a_name_that_is_no_name_is_unresolved(door: Door) -> None:
    assert await reason(door, FAIL, f"http://{'a' * 64}.invalid/") is Reason.UNRESOLVED


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 5000:
        pytest.skip("needs 5,000 descriptors, since both ends are in this process")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 5000), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
@pytest.mark.usefixtures("many_descriptors")
async def test_two_thousand_hanging_requests_slow_nobody_down(
    open_door: OpenDoor, serve: Serve
) -> None:
    loopback = DoorConfig(user_agent="x")
    door = open_door(_allowing_loopback(loopback, at_once=3000))
    hanging = await serve(hang)
    quick = await serve(_keep_saying_ok)
    futures = door.send([dataclasses.replace(CUT, url=hanging, deadline_s=60)] * 2000)
    await one(door, CUT, quick)
    started = time.monotonic()
    for _ in range(10):
        outcomes = await asyncio.gather(*door.send([dataclasses.replace(CUT, url=quick)] * 50))
        assert all(isinstance(outcome, Answer) for outcome in outcomes)
    assert time.monotonic() - started < 1.0
    assert not any(future.done() for future in futures)


@pytest.mark.slow
async def test_a_host_gets_so_many_at_once_and_its_queue_holds_up_no_other(
    open_door: OpenDoor, serve: Serve
) -> None:
    door = open_door(_allowing_loopback(DoorConfig(user_agent="x"), at_once=4))
    under_way = most = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        while await reader.readuntil(b"\r\n\r\n"):
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.002)
            under_way -= 1
            writer.write(OK)

    slow, quick = await serve(hang), await serve(handler)
    stuck = door.send([dataclasses.replace(CUT, url=slow, deadline_s=0.6)] * 40)
    outcomes = await asyncio.gather(*door.send([dataclasses.replace(CUT, url=quick)] * 80))
    assert all(isinstance(outcome, Answer) for outcome in outcomes)
    assert most == 4
    assert not any(future.done() for future in stuck)
    ends = [end for end in await asyncio.gather(*stuck) if isinstance(end, NoAnswer)]
    assert len(ends) == 40
    assert max(end.elapsed_s for end in ends) < 1.0
    assert sum(end.reason is Reason.TIMED_OUT for end in ends) == 4
    assert sum(end.reason is Reason.NOT_STARTED for end in ends) == 36


@pytest.mark.slow
async def test_a_request_is_not_begun_with_too_little_of_its_deadline_left(
    open_door: OpenDoor, serve: Serve
) -> None:
    door = open_door(_allowing_loopback(DoorConfig(user_agent="x"), at_once=1))
    url = await serve(hang)
    first = door.send([dataclasses.replace(CUT, url=url, deadline_s=30)])[0]
    for deadline_s, given_up_at_s in ((0.4, 0.2), (2.2, 1.2)):
        outcome = await one(door, dataclasses.replace(CUT, deadline_s=deadline_s), url)
        assert isinstance(outcome, NoAnswer)
        assert outcome.reason is Reason.NOT_STARTED
        assert given_up_at_s - 0.01 < outcome.elapsed_s < given_up_at_s + 0.3
    assert not first.done()


@pytest.mark.slow
async def test_waiting_costs_no_processor_time(door: Door, serve: Serve) -> None:
    closed = asyncio.Event()

    async def close_after_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await writer.drain()
        writer.close()
        closed.set()

    await one(door, CUT, await serve(close_after_one))
    await closed.wait()
    hanging = door.send([dataclasses.replace(CUT, url=await serve(hang))])[0]
    await asyncio.wait([hanging], timeout=0.1)
    before = time.process_time()
    await asyncio.wait([hanging], timeout=0.3)
    assert time.process_time() - before < 0.1


@pytest.mark.slow
async def test_a_hub_without_descriptors_blames_itself(door: Door, serve: Serve) -> None:
    assert isinstance(await one(door, FAIL, await serve(_keep_saying_ok)), Answer)
    url = await serve(_keep_saying_ok)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1, hard))
    try:
        assert await reason(door, FAIL, url) is Reason.NOT_STARTED
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert isinstance(await one(door, FAIL, url), Answer)


@pytest.mark.slow
async def test_a_hub_with_one_descriptor_too_few_blames_itself(door: Door, serve: Serve) -> None:
    """A socket can be made, and not handed on: that must not look like a refused connection."""
    warm, cold = await serve(_keep_saying_ok), await serve(_keep_saying_ok)
    assert isinstance(await one(door, FAIL, warm), Answer)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.open(os.devnull, os.O_RDONLY)]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(taken) + 64, hard))
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.dup(taken[0]))
        os.close(taken.pop())
        outcome = await one(door, FAIL, cold)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in taken:
            os.close(descriptor)
    assert isinstance(outcome, NoAnswer)
    assert outcome.reason is Reason.NOT_STARTED


async def _keep_saying_ok(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.readuntil(b"\r\n\r\n"):
        writer.write(OK)


def _allowing_loopback(config: DoorConfig, *, at_once: int) -> DoorConfig:
    network = (ipaddress.ip_network("127.0.0.0/8"),)
    return dataclasses.replace(
        config, topics_allow=network, callbacks_allow=network, requests_at_once_per_host=at_once
    )
