"""Our servers keep what arrives byte for byte, whoever sends it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from conformance.answer import Answer, Hangup, always, echo
from conformance.listener import Listener
from conformance.publisher import Content, Topic
from conformance.subscriber import Callback


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listener = Listener("127.0.0.1", 0)
    await listener.start()
    yield listener
    await listener.close()


def placed(listener: Listener, path: str = "") -> Callback:
    callback = Callback(f"{listener.base_url}/one{path}", [])
    listener.sites["one"] = callback
    return callback


async def sent(listener: Listener, data: bytes) -> bytes:
    host, _, port = listener.base_url.partition("://")[2].partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_the_target_and_the_headers_stay_as_they_were_sent(listener: Listener) -> None:
    callback = placed(listener)
    target = "/one/%7Ex/a%2Fb//c?a=%2F&b=c+d&e&f=#x"
    await sent(
        listener,
        f"GET {target} HTTP/1.1\r\nhOsT: a\r\nX-Two: 1\r\nx-two: 2\r\n"
        "Connection: close\r\n\r\n".encode(),
    )
    (kept,) = callback.exchanges
    assert kept.target == target
    assert kept.headers[:3] == (("hOsT", "a"), ("X-Two", "1"), ("x-two", "2"))
    assert kept.all_headers("X-TWO") == ["1", "2"]


async def test_a_chunked_body_is_put_together(listener: Listener) -> None:
    callback = placed(listener)
    await sent(
        listener,
        b"POST /one HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
    )
    assert callback.deliveries[0].body == b"abcde"


async def test_requests_on_one_connection_are_kept_in_order(listener: Listener) -> None:
    callback = placed(listener)
    one = b"POST /one HTTP/1.1\r\nContent-Length: 1\r\n\r\n"
    await sent(listener, one + b"1" + one + b"2" + b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert [delivery.body for delivery in callback.deliveries] == [b"1", b"2"]


async def test_a_client_that_waits_for_100_continue_gets_it(listener: Listener) -> None:
    placed(listener)
    answer = await sent(
        listener,
        b"POST /one HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n"
        b"Connection: close\r\n\r\nx",
    )
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


async def test_the_last_challenge_is_the_one_echoed(listener: Listener) -> None:
    placed(listener, "?hub.challenge=mine").on_verification = echo()
    answer = await sent(
        listener,
        b"GET /one?hub.challenge=mine&hub.challenge=theirs HTTP/1.1\r\nConnection: close\r\n\r\n",
    )
    assert answer.endswith(b"\r\n\r\ntheirs")


async def test_a_denial_is_no_verification(listener: Listener) -> None:
    callback = placed(listener)
    await sent(listener, b"GET /one?hub.mode=denied HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert (len(callback.denials), len(callback.verifications)) == (1, 0)


async def test_a_hangup_sends_nothing(listener: Listener) -> None:
    placed(listener).on_delivery = always(Hangup())
    assert await sent(listener, b"POST /one HTTP/1.1\r\nContent-Length: 0\r\n\r\n") == b""


async def test_what_is_no_http_is_dropped_and_the_rest_goes_on(listener: Listener) -> None:
    callback = placed(listener)
    for garbage in (
        b"x\r\n\r\n",
        b"GET /one HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ):
        assert await sent(listener, garbage) == b""
    await sent(listener, b"GET /one HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert len(callback.exchanges) == 1


async def test_tls_on_a_plain_port_is_told_that_this_is_http(listener: Listener) -> None:
    answer = await sent(listener, b"\x16\x03\x01 hello")
    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_a_chunked_topic_is_sent_in_chunks(listener: Listener) -> None:
    listener.sites["t"] = Topic("", [], Content(body=b"abcdefg", content_type=None, chunked=True))
    answer = await sent(listener, b"GET /t HTTP/1.1\r\nConnection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type" not in head.lower()
    assert body == b"2\r\nab\r\n2\r\ncd\r\n2\r\nef\r\n1\r\ng\r\n0\r\n\r\n"


async def test_a_wait_ends_as_soon_as_something_comes_or_at_its_deadline(
    listener: Listener,
) -> None:
    callback = placed(listener)
    callback.on_delivery = always(Answer(status=204))
    waiting = asyncio.create_task(callback.until(lambda: callback.deliveries or None, 5))
    await sent(listener, b"POST /one HTTP/1.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    assert await waiting
    assert await callback.until(lambda: callback.verifications or None, 0.01) is None
