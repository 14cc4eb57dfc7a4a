"""One request to many: what they share, what is each one's own, and when they have ended."""

import asyncio
import dataclasses
import hmac
from collections.abc import Awaitable, Callable

import pytest

from hub.outbound.door import Door, DoorConfig
from hub.outbound.request import Addressee, Answer, NoAnswer, Purpose, Reason, Request, TooLong
from hub.protocol.requests import SignatureMethod
from tests.outbound.conftest import LOOPBACK

Serve = Callable[..., Awaitable[str]]
OpenDoor = Callable[[DoorConfig], Door]

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
NEWS = Request(
    purpose=Purpose.DELIVERY,
    method="POST",
    url="",
    headers=(("Content-Type", "text/xml"), ("webhook-id", "1-0")),
    body=b"news",
    deadline_s=10,
    max_body_bytes=1000,
    too_long=TooLong.CUT,
)


def signed(secret: bytes, method: str) -> bytes:
    return f"{method}={hmac.digest(secret, b'news', method).hex()}".encode()


def headers_of(request: bytes) -> dict[bytes, bytes]:
    lines = request.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    return {line.partition(b": ")[0]: line.partition(b": ")[2] for line in lines}


async def test_each_gets_the_same_body_signed_with_a_secret_of_its_own(
    door: Door, answering: Serve, heard: list[bytes]
) -> None:
    url = await answering(NO_CONTENT)
    batch = door.send_to(
        NEWS,
        [
            Addressee(f"{url}/0", b"one"),
            Addressee(f"{url}/1", b"two", SignatureMethod.SHA1),
            Addressee(f"{url}/2"),
        ],
    )
    assert await batch.until_open(0, timeout_s=5)
    by_path = {request.split(b" ")[1]: request for request in heard}
    assert sorted(by_path) == [b"/0", b"/1", b"/2"]
    assert all(request.endswith(b"\r\n\r\nnews") for request in heard)
    found = [headers_of(by_path[path]) for path in sorted(by_path)]
    assert all(one[b"webhook-id"] == b"1-0" for one in found)
    assert found[0][b"X-Hub-Signature"] == signed(b"one", "sha256")
    assert found[1][b"X-Hub-Signature"] == signed(b"two", "sha1")
    assert found[1][b"X-Hub-Signature-256"] == signed(b"two", "sha256")
    assert not any(name.startswith(b"X-Hub") for name in found[2])


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        (b"Retry-After: 7\r\n", ("7",)),
        (b"Retry-After: 86400\r\n", ("86400",)),
        (b"retry-after:Wed, 21 Oct 2099 07:28:00 GMT\r\n", ("Wed, 21 Oct 2099 07:28:00 GMT",)),
        (b"X: y\r\n" * 30 + b"Retry-After: soon\r\n" + b"X: y\r\n" * 30, ("soon",)),
        (b"X: y\r\n", ()),
        (b"Retry-After: 7\r\n" + b"X: y\r\n" * 1000, ()),
    ],
    ids=["seconds", "a day", "a date", "among others", "none", "a header without measure"],
)
async def test_of_an_ignorable_answer_retry_after_is_kept_as_it_was_sent(
    door: Door, answering: Serve, header: bytes, kept: tuple[str, ...]
) -> None:
    url = await answering(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n" + header + b"\r\n")
    answer = await door.send_to(NEWS, [Addressee(url)]).sendings[0]
    assert isinstance(answer, Answer)
    assert answer.status == 503
    assert answer.headers == tuple(("retry-after", value) for value in kept)


async def test_one_that_cannot_be_sent_fails_alone(door: Door, answering: Serve) -> None:
    url = await answering(NO_CONTENT)
    batch = door.send_to(NEWS, [Addressee(url), Addressee("ftp://x/"), Addressee(url)])
    assert await batch.until_open(0, timeout_s=5)
    good, bad, other = (sending.result() for sending in batch.sendings)
    assert isinstance(good, Answer)
    assert isinstance(other, Answer)
    assert isinstance(bad, NoAnswer)
    assert bad.reason is Reason.BAD_URL


async def test_a_header_that_cannot_be_sent_fails_all(door: Door, answering: Serve) -> None:
    url = await answering(NO_CONTENT)
    request = dataclasses.replace(NEWS, headers=(("Link", "a\nb"),))
    batch = door.send_to(request, [Addressee(url), Addressee(url)])
    assert await batch.until_open(0, timeout_s=5)
    outcomes = [sending.result() for sending in batch.sendings]
    assert [one.reason for one in outcomes if isinstance(one, NoAnswer)] == [Reason.BROKEN] * 2


@pytest.mark.parametrize("end", ["withdrawn", "cancelled", "answered"])
async def test_a_wait_ends_when_few_enough_are_open(
    open_door: OpenDoor, answering: Serve, serve: Serve, end: str
) -> None:
    config = DoorConfig(user_agent="x", callbacks_allow=LOOPBACK, requests_at_once_per_host=1)
    door = open_door(config)

    async def hang(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()
        await asyncio.sleep(60)

    slow, quick = await serve(hang), await answering(NO_CONTENT)
    others = [Addressee(quick)] if end == "answered" else [Addressee(slow)]
    batch = door.send_to(NEWS, [Addressee(slow), *others])
    wait = asyncio.create_task(batch.until_open(1, timeout_s=60))
    if end == "withdrawn":
        async with asyncio.timeout(5):
            while not any(sending.is_begun for sending in batch.sendings):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        assert [sending.withdraw() for sending in batch.sendings] == [False, True]
    elif end == "cancelled":
        await asyncio.sleep(0)
        assert batch.sendings[0].cancel()
    async with asyncio.timeout(5):
        assert await wait
    assert batch.open == 1
    assert not await batch.until_open(0, timeout_s=0.05)


async def test_with_a_door_that_stops_nothing_stays_open(open_door: OpenDoor, serve: Serve) -> None:
    async def hang(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()
        await asyncio.sleep(60)

    door = open_door(DoorConfig(user_agent="x", callbacks_allow=LOOPBACK))
    url = await serve(hang)
    batch = door.send_to(NEWS, [Addressee(url)] * 100)
    await door.stop()
    assert batch.open == 0
    outcomes = {sending.result() for sending in batch.sendings}
    assert [one.reason for one in outcomes if isinstance(one, NoAnswer)] == [Reason.STOPPED]
    assert not door._open
