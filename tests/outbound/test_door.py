"""Futures, batches, and the end of things."""

import asyncio
import dataclasses
import threading
import time
from collections.abc import Awaitable, Callable
from typing import cast

import pytest

from hub.outbound.door import Door, DoorConfig
from hub.outbound.request import Answer, NoAnswer, Purpose, Reason, Request, TooLong

Serve = Callable[..., Awaitable[str]]

POST = Request(
    purpose=Purpose.DELIVERY,
    method="POST",
    url="",
    body=b"news",
    deadline_s=30,
    max_body_bytes=1000,
    too_long=TooLong.CUT,
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def to(url: str) -> Request:
    return dataclasses.replace(POST, url=url)


async def test_cancelling_a_future_ends_its_transfer_and_no_other(
    door: Door, serve: Serve, answering: Serve
) -> None:
    arrived, gone = asyncio.Event(), asyncio.Event()

    async def handler(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\nnews")
        arrived.set()
        await reader.read()
        gone.set()

    future = door.send([to(await serve(handler))])[0]
    async with asyncio.timeout(5):
        await arrived.wait()
        assert future.cancel()
        assert not future.cancel()
        await gone.wait()
        assert isinstance(await door.send([to(await answering(OK))])[0], Answer)
    assert future.cancelled()


async def test_a_task_that_gives_up_waiting_ends_the_transfer(door: Door, serve: Serve) -> None:
    gone = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\nnews")
        await reader.read()
        gone.set()

    url = await serve(handler)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await door.send([to(url)])[0]
    async with asyncio.timeout(5):
        await gone.wait()


async def test_a_future_cancelled_at_once_or_afterwards_harms_nothing(
    door: Door, answering: Serve
) -> None:
    url = await answering(OK)
    first, second = door.send([to(url), to(url)])
    first.cancel()
    assert isinstance(await second, Answer)
    assert not second.cancel()
    assert isinstance(await door.send([to(url)])[0], Answer)


async def test_stop_ends_everything_at_once(door: Door, serve: Serve) -> None:
    async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    futures = door.send([to(await serve(hang))] * 200)
    started = time.monotonic()
    await door.stop()
    assert time.monotonic() - started < 1
    outcomes = [future.result() for future in futures]
    assert all(isinstance(item, NoAnswer) and item.reason is Reason.STOPPED for item in outcomes)
    for thread in threading.enumerate():
        if thread.name == "outbound":
            await asyncio.to_thread(thread.join, 5)
            assert not thread.is_alive()


async def test_a_door_that_is_not_open_answers_stopped(door: Door) -> None:
    await door.stop()
    await door.stop()
    for closed in (door, Door(DoorConfig(user_agent="x"))):
        outcome = await closed.send([to("http://127.0.0.1/")])[0]
        assert isinstance(outcome, NoAnswer)
        assert outcome.reason is Reason.STOPPED


async def test_an_empty_batch_is_fine(door: Door) -> None:
    assert door.send([]) == []


async def test_a_door_opens_once(door: Door) -> None:
    with pytest.raises(RuntimeError):
        door.start()


async def test_what_has_no_time_left_is_not_started(
    door: Door, answering: Serve, heard: list[bytes]
) -> None:
    url = await answering(OK)
    for deadline_s in (0.0, -1.0):
        request = dataclasses.replace(to(url), deadline_s=deadline_s)
        outcome = await door.send([request])[0]
        assert isinstance(outcome, NoAnswer)
        assert outcome.reason is Reason.NOT_STARTED
    assert heard == []


@pytest.mark.slow
async def test_a_fault_in_the_thread_ends_what_was_open_and_the_door_goes_on(
    door: Door, answering: Serve, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    open_one = door.send([to(await serve(hang))])[0]
    broken = door.send([dataclasses.replace(POST, url=cast("str", 1))])[0]
    async with asyncio.timeout(10):
        for future in (open_one, broken):
            outcome = await future
            assert isinstance(outcome, NoAnswer)
            assert outcome.reason is Reason.BROKEN
        assert isinstance(await door.send([to(await answering(OK))])[0], Answer)
    assert "fault in the client's thread" in caplog.text
