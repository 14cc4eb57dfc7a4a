"""What goes over the wire, and what comes back from it."""

import asyncio
import dataclasses
import gzip
import zlib
from collections.abc import Awaitable, Callable

import pytest

from hub.outbound.door import Door, DoorConfig
from hub.outbound.request import Addressee, Answer, NoAnswer, Purpose, Reason, Request, TooLong

Serve = Callable[..., Awaitable[str]]
OpenDoor = Callable[[DoorConfig], Door]

GET = Request(
    purpose=Purpose.FETCH,
    method="GET",
    url="",
    deadline_s=5,
    max_body_bytes=100_000,
    too_long=TooLong.FAIL,
)
POST = dataclasses.replace(GET, purpose=Purpose.DELIVERY, method="POST", body=b"news")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def one(door: Door, request: Request, url: str) -> Answer | NoAnswer:
    return await door.send([dataclasses.replace(request, url=url)])[0]


async def answer(door: Door, request: Request, url: str) -> Answer:
    outcome = await one(door, request, url)
    assert isinstance(outcome, Answer), outcome
    return outcome


@pytest.mark.parametrize("request_", [GET, POST], ids=["GET", "POST"])
@pytest.mark.parametrize(
    ("tail", "target"),
    [
        ("", b"/"),
        ("/", b"/"),
        ("?x", b"/?x"),
        ("/p?", b"/p?"),
        ("/%7E/%7e/%2F/%2f", b"/%7E/%7e/%2F/%2f"),
        ("//a//b", b"//a//b"),
        ("/a/../b/./c/..", b"/a/../b/./c/.."),
        ("/p/%7Ex/a%2Fb//c?foo=bar&a=%2F&b=c+d", b"/p/%7Ex/a%2Fb//c?foo=bar&a=%2F&b=c+d"),
        ("/p;v=1;w?a=1;b=2&&c", b"/p;v=1;w?a=1;b=2&&c"),
        ("/%C3%A9/%e9", b"/%C3%A9/%e9"),
        ("/é", b"/%C3%A9"),
        ("/%zz%", b"/%zz%"),
        ("/'\"<>[]{}|^`!*()@:$,~_-.", b"/'\"<>[]{}|^`!*()@:$,~_-."),
        ("/p?u=http://o/../%2e", b"/p?u=http://o/../%2e"),
        ("/p?q#fragment?%2f", b"/p?q"),
        ("/p#fragment", b"/p"),
    ],
)
async def test_a_url_is_sent_byte_for_byte(
    door: Door, answering: Serve, heard: list[bytes], request_: Request, tail: str, target: bytes
) -> None:
    await answer(door, request_, await answering(OK) + tail)
    assert heard[0].split(b" ")[1] == target


async def test_a_post_holds_what_was_given_and_no_more(
    door: Door, answering: Serve, heard: list[bytes]
) -> None:
    base = await answering(OK)
    headers = (("Content-Type", 'a/b; x="é"'), ("Link", '<h>; rel="hub"'), ("X-Empty", ""))
    await answer(door, dataclasses.replace(POST, headers=headers), base + "/cb")
    host = base.removeprefix("http://").encode()
    assert heard == [
        b"POST /cb HTTP/1.1\r\nHost: "
        + host
        + b'\r\nUser-Agent: hub-test\r\nAccept: */*\r\nContent-Type: a/b; x="\xe9"\r\n'
        b'Link: <h>; rel="hub"\r\nX-Empty:\r\nContent-Length: 4\r\n\r\nnews'
    ]


async def test_a_large_post_is_sent_whole_without_asking_first(
    door: Door, answering: Serve, heard: list[bytes]
) -> None:
    body = bytes(range(256)) * 12_000
    await answer(door, dataclasses.replace(POST, body=body), await answering(OK))
    head, _, sent = heard[0].partition(b"\r\n\r\n")
    assert sent == body
    assert b"Content-Length: 3072000" in head
    for name in (b"expect", b"transfer-encoding", b"content-type", b"content-encoding"):
        assert name not in head.lower()


async def test_a_get_asks_for_compression_on_topics_only(
    door: Door, answering: Serve, heard: list[bytes]
) -> None:
    base = await answering(OK)
    await answer(door, GET, base)
    await answer(door, dataclasses.replace(GET, purpose=Purpose.DELIVERY), base)
    assert b"gzip" in heard[0].lower()
    assert b"accept-encoding" not in heard[1].lower()
    assert all(b"cookie" not in head.lower() and b"length" not in head.lower() for head in heard)


async def test_handles_carry_nothing_over_from_one_request_to_the_next(
    door: Door, answering: Serve, heard: list[bytes]
) -> None:
    base = await answering(OK)
    callback = dataclasses.replace(POST, headers=(("X-Secret", "1"),))
    await answer(door, callback, base)
    await answer(door, dataclasses.replace(GET, purpose=Purpose.DELIVERY), base)
    await answer(door, dataclasses.replace(POST, body=None), base)
    assert [item.split(b" ")[0] for item in heard] == [b"POST", b"GET", b"POST"]
    assert b"X-Secret" not in heard[1] + heard[2]
    assert heard[1].endswith(b"Accept: */*\r\n\r\n")
    assert heard[2].endswith(b"Content-Length: 0\r\n\r\n")


async def test_an_answer_has_status_headers_body_and_url(door: Door, answering: Serve) -> None:
    url = await answering(
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        b"HTTP/1.1 404 Nope\r\nX-B: \xe9 \r\nx-a: 1\r\nX-a: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n0\r\nTrailer: t\r\n\r\n"
    )
    got = await answer(door, GET, f"{url}/p#f")
    assert got == Answer(
        status=404,
        headers=(("x-b", "é"), ("x-a", "1"), ("x-a", "2"), ("transfer-encoding", "chunked")),
        body=b"abc",
        url=f"{url}/p",
        elapsed_s=got.elapsed_s,
    )
    assert 0 < got.elapsed_s < 5


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        (b"gzip", gzip.compress(b"feed" * 1000)),
        (b"deflate", zlib.compress(b"feed" * 1000)),
        (b"identity", b"feed" * 1000),
    ],
    ids=["gzip", "deflate", "identity"],
)
async def test_a_fetched_body_is_decompressed(
    door: Door, answering: Serve, encoding: bytes, body: bytes
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n"
    url = await answering(head % (encoding, len(body)) + body)
    assert (await answer(door, GET, url)).body == b"feed" * 1000


async def test_connections_are_kept_open(door: Door, serve: Serve) -> None:
    connections = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await reader.readuntil(b"\r\n\r\nnews"):
            writer.write(OK)

    url = await serve(handler)
    for _ in range(5):
        await answer(door, POST, url)
    assert connections == 1


async def test_a_connection_closed_while_idle_is_not_a_failure(door: Door, serve: Serve) -> None:
    closed = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\nnews")
        writer.write(OK)
        await writer.drain()
        writer.close()
        closed.set()

    url = await serve(handler)
    for _ in range(20):
        closed.clear()
        await answer(door, POST, url)
        await closed.wait()


async def test_ipv6_is_spoken(door: Door, answering: Serve) -> None:
    assert (await answer(door, GET, await answering(OK, host="::1"))).body == b"ok"


async def test_each_request_of_a_batch_gets_its_own_answer(door: Door, serve: Serve) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            path = head.split(b" ")[1]
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(path), path))

    url = await serve(handler)
    batch = [dataclasses.replace(GET, url=f"{url}/{number}") for number in range(300)]
    outcomes = await asyncio.gather(*door.send(batch))
    bodies = [item.body if isinstance(item, Answer) else item for item in outcomes]
    assert bodies == [b"/%d" % number for number in range(300)]


@pytest.mark.parametrize(
    "header", [("A", "b\r\nC: d"), ("A", "b\nC: d"), ("A", "\0"), ("A", "€"), ("A\nB", "c")]
)
async def test_a_header_that_would_break_the_request_is_not_sent(
    door: Door, answering: Serve, heard: list[bytes], header: tuple[str, str]
) -> None:
    url = await answering(OK)
    outcome = await one(door, dataclasses.replace(POST, headers=(header,)), url)
    assert isinstance(outcome, NoAnswer)
    assert outcome.reason is Reason.BROKEN
    assert (await answer(door, POST, url)).status == 200
    assert len(heard) == 1


async def test_proxies_of_the_environment_are_not_used(
    open_door: OpenDoor, answering: Serve, heard: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = await answering(OK)
    for name in ("http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy)
    outcome = await one(open_door(DoorConfig(user_agent="x")), GET, "http://192.0.2.1/")
    assert isinstance(outcome, NoAnswer)
    assert outcome.reason is Reason.ADDRESS_BLOCKED
    assert heard == []


async def test_a_configured_proxy_gets_everything(
    open_door: OpenDoor, answering: Serve, heard: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    door = open_door(DoorConfig(user_agent="x", proxy_url=await answering(OK)))
    got = await answer(door, GET, "http://feed.example/%7e#f")
    assert heard[0].startswith(b"GET http://feed.example/%7e HTTP/1.1\r\nHost: feed.example\r\n")
    assert got.url == "http://feed.example/%7e"


class FallsOver:
    """Answers some requests of each connection, and closes it at the next without an answer."""

    def __init__(self, answers: int = 1) -> None:
        self.requests = 0
        self.answers = answers

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in range(self.answers + 1):
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"POST"):
                await reader.readexactly(4)
            self.requests += 1
            if number < self.answers:
                await asyncio.sleep(0.05)
                writer.write(OK)
        writer.close()


@pytest.mark.parametrize("purpose", [Purpose.DELIVERY, Purpose.VERIFICATION])
async def test_a_request_is_sent_twice_at_most_where_kept_connections_break(
    door: Door, serve: Serve, purpose: Purpose
) -> None:
    server = FallsOver()
    url = await serve(server.handle)
    request = dataclasses.replace(POST, purpose=purpose, url=url)
    # Several connections, each of which breaks at its next request.
    await asyncio.gather(*door.send([request] * 4))
    assert server.requests == 4
    outcome = await door.send([request])[0]
    assert isinstance(outcome, NoAnswer)
    assert outcome.reason is Reason.BROKEN
    assert "closed before an answer" in outcome.detail
    assert server.requests == 6


async def test_a_request_on_a_new_connection_is_sent_once(door: Door, serve: Serve) -> None:
    server = FallsOver(answers=0)
    request = dataclasses.replace(POST, url=await serve(server.handle))
    to = Addressee(request.url, is_new_connection_wanted=True)
    outcome = await door.send_to(request, [to]).sendings[0]
    assert isinstance(outcome, NoAnswer)
    assert server.requests == 1
    # And the next one may use what is kept.
    server.answers = 1
    assert isinstance(await door.send([request])[0], Answer)
