"""Deliveries of all sizes, to receivers that answer slowly or never."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable

import pytest

from hub.outbound.door import Door
from hub.outbound.request import Addressee, Answer, Purpose, Request, TooLong

Serve = Callable[..., Awaitable[str]]

OK = b"HTTP/1.1 204 No Content\r\n\r\n"
DELIVERY = Request(
    purpose=Purpose.DELIVERY,
    method="POST",
    url="",
    deadline_s=10,
    max_body_bytes=1000,
    too_long=TooLong.CUT,
)


@pytest.mark.parametrize("body_bytes", [1, 16_385, 32_768, 32_769, 65_537, 300_000])
async def test_a_body_of_any_size_is_sent_whole(
    door: Door, answering: Serve, heard: list[bytes], body_bytes: int
) -> None:
    request = dataclasses.replace(DELIVERY, body=b"y" * body_bytes)
    url = await answering(OK)
    batch = door.send_to(request, [Addressee(f"{url}/{number}") for number in range(40)])
    assert await batch.until_open(0, timeout_s=10)
    assert {type(sending.result()) for sending in batch.sendings} == {Answer}
    assert [one.endswith(b"y" * body_bytes) for one in heard] == [True] * 40


async def test_an_answer_in_small_pieces_is_heard_to_its_end(door: Door, serve: Serve) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for byte in b"HTTP/1.1 202 Accepted\r\nContent-Length: 3\r\n\r\nyes":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.001)

    request = dataclasses.replace(DELIVERY, body=b"news", url=await serve(handler))
    answer = await door.send([request])[0]
    assert isinstance(answer, Answer)
    assert answer.status == 202


async def test_however_many_hang_others_are_answered(
    door: Door, serve: Serve, answering: Serve
) -> None:
    has_begun = asyncio.Semaphore(0)

    async def hang(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        has_begun.release()
        await asyncio.Event().wait()

    urls = [await serve(hang, host=f"127.0.0.{number}") for number in range(2, 10)]
    request = dataclasses.replace(DELIVERY, body=b"news")
    hanging = door.send_to(request, [Addressee(url) for url in urls * 30])
    for _ in hanging.sendings:
        await has_begun.acquire()
    url = await answering(OK)
    batch = door.send_to(request, [Addressee(url) for _ in range(50)])
    assert await batch.until_open(0, timeout_s=8)
    assert {type(sending.result()) for sending in batch.sendings} == {Answer}
    assert hanging.open == 240
