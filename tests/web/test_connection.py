"""What strangers send to an open port."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from hub.web.app import create_app
from hub.web.connection import NO_DESCRIPTOR, listening
from tests.protocol.policy import POLICY
from tests.web.hub_server import FACE, Hub, ListStore

HEAD_DEADLINE_S = 0.25
LIVEZ = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
TLS_HELLO = bytes.fromhex("16030100c8010000c403035f") + b"\x00" * 200


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(TLS_HELLO, id="a TLS hello"),
        pytest.param(b"\x05\x01\x00\r\n\r\n", id="SOCKS"),
        pytest.param(b"SSH-2.0-x\r\n\r\n", id="SSH"),
        pytest.param(b"GET / HTTP/9.9.9\r\n\r\n", id="no version of HTTP"),
        pytest.param(b"GET / HTTP/1.1\r\nno colon\r\n\r\n", id="a header without a colon"),
        pytest.param(b"GET / HTTP/1.1\r\nA: " + b"b" * 9_000 + b"\r\n\r\n", id="a long header"),
        pytest.param(b"GET /" + b"b" * 9_000 + b" HTTP/1.1\r\n\r\n", id="a long path"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", id="a bad length"),
        pytest.param(b"GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n", id="a bad target"),
    ],
)
async def test_what_is_no_http_is_dropped_without_a_traceback(
    hub: Hub, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), capture_logs() as logs:
        answer = await hub.raw(sent)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert b"Server: websub-hub\r\n" in answer
    assert b"aiohttp" not in answer
    assert b"text/plain; charset=utf-8" in answer
    assert caplog.records == []
    assert {log["log_level"] for log in logs} <= {"debug"}


@pytest.mark.parametrize(
    "host", [b"", b"][", b"a b", b"[::1", b"\xff\xfe", b"a:99999999", b"a/b?c#d", b"<script>"]
)
async def test_a_bad_host_does_not_matter(hub: Hub, host: bytes) -> None:
    answer = await hub.raw(
        b"GET /livez HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n"
    )
    assert answer.split(b" ")[1] in {b"200", b"400"}


@pytest.mark.parametrize(
    "target", [b"//", b"/%", b"/%zz", b"/%ff", b"/../..", b"/?%ff=%", b"*", b"http://x:99999999/"]
)
async def test_an_odd_target_is_no_fault_of_ours(hub: Hub, target: bytes) -> None:
    for method in (b"GET ", b"POST "):
        answer = await hub.raw(
            method + target + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        assert int(answer.split(b" ")[1]) < 500


@pytest.fixture
async def impatient_port() -> AsyncIterator[int]:
    """The port of a hub that gives the head of a request a quarter of a second."""
    app = create_app(ListStore(), POLICY, FACE)
    async with listening(app, host="127.0.0.1", port=0, head_deadline_s=HEAD_DEADLINE_S) as port:
        yield port


async def answered(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(LIVEZ)
    assert await reader.readuntil(b"alive\n")
    writer.close()


async def trickle(port: int, sent: bytes = b"") -> float:
    """Sends a head that never ends, and returns for how many seconds the hub listened to it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began_s = asyncio.get_running_loop().time()
    writer.write(sent + b"GET /livez HTTP/1.1\r\n")
    ended = asyncio.create_task(reader.read())
    async with asyncio.timeout(5):
        while not ended.done():
            writer.write(b"A: b\r\n")
            await asyncio.wait([ended], timeout=0.02)
    writer.close()
    with suppress(ConnectionError):
        assert (await ended).count(b"HTTP/1.1 200 OK") == sent.count(LIVEZ)
    return asyncio.get_running_loop().time() - began_s


@pytest.mark.slow
async def test_who_connects_and_says_nothing_is_cut_off(impatient_port: int) -> None:
    began_s = asyncio.get_running_loop().time()
    reader, writer = await asyncio.open_connection("127.0.0.1", impatient_port)
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    assert asyncio.get_running_loop().time() - began_s >= HEAD_DEADLINE_S
    writer.close()


async def test_that_no_descriptor_is_left_is_said_once_in_a_while(
    impatient_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    fault = {"message": NO_DESCRIPTOR, "exception": OSError(24, "Too many open files")}
    with capture_logs() as logs:
        for _ in range(100):
            loop.call_exception_handler(fault)
    assert [log["error"] for log in logs] == ["[Errno 24] Too many open files"]
    assert caplog.records == []
    loop.call_exception_handler({"message": "something else"})
    assert [record.message for record in caplog.records] == ["something else"]


@pytest.mark.slow
async def test_a_head_that_trickles_in_is_cut_off(impatient_port: int) -> None:
    assert HEAD_DEADLINE_S <= await trickle(impatient_port) < HEAD_DEADLINE_S + 2


@pytest.mark.slow
async def test_a_second_head_that_trickles_in_is_cut_off_too(impatient_port: int) -> None:
    assert HEAD_DEADLINE_S <= await trickle(impatient_port, LIVEZ) < HEAD_DEADLINE_S + 2


@pytest.mark.slow
async def test_who_is_idle_between_requests_or_slow_with_a_body_is_not_cut_off(
    impatient_port: int,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", impatient_port)
    slow_reader, slow_writer = await asyncio.open_connection("127.0.0.1", impatient_port)
    # The head in two parts, the end of which comes in time.
    writer.write(LIVEZ[:9])
    slow_writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 36\r\n\r\nhub.mode=publish")
    await answered(impatient_port)  # and by then that first part was read
    writer.write(LIVEZ[9:])
    assert await reader.readuntil(b"alive\n")
    # Both have been longer about it now than a head may be.
    await trickle(impatient_port)
    writer.write(LIVEZ)
    slow_writer.write(b"&hub.url=http://a.ex")
    async with asyncio.timeout(5):
        assert await reader.readuntil(b"alive\n")
        assert (await slow_reader.readline()).startswith(b"HTTP/1.1 204 ")
    writer.close()
    slow_writer.close()
