"""The yardstick hub's deliveries: what they hold, where they go, and what their answers mean."""

import asyncio
import contextlib
import itertools
import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tests.conformance.defective.ends import Ends, Seen, confirm, hub_and_ends, signature, taking

_CALLBACK = "/p/%7Ex/a%2Fb//c?foo=bar&a=%2F&b=c+d&e&f="
_ATOM = (
    '<feed xmlns="http://www.w3.org/2005/Atom"><title>A</title>{}<entry><id>1</id></entry></feed>'
)
_CONTENTS = {
    "HTML": ("text/html; charset=UTF-8", b"<title>x</title>"),
    "Atom": ("application/atom+xml", _ATOM.format("").encode()),
    "RSS": ("application/rss+xml; charset=iso-8859-1", b"<rss><channel><item/></channel></rss>"),
    "JSON": ("application/json", b"{}"),
    "a profile": ('application/ld+json; profile="x"', b"{}"),
    "1 MiB of bytes": ("image/png", bytes(range(256)) * 4096),
    "one byte": ("text/plain", b"x"),
    "UTF-16": ("text/xml", "<a>é</a>".encode("utf-16")),
    "BOM and CRLF": ("text/plain", b"\xef\xbb\xbfa\r\nb\r\n"),
}


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    async with hub_and_ends() as opened:
        yield opened


async def _delivered(ends: Ends, callback: str, *more: str, **secret: str) -> Seen:
    """Returns the delivery of what the test has prepared for `/t` as its second version."""
    topic = ends.base + "/t"
    prepared = ends.answers.pop("/t")
    ends.serve("/t", "the first version")
    await ends.settled("subscribe", topic, callback, **secret)
    ends.answers["/t"] = prepared
    await ends.ping(topic, *more)
    await ends.until(lambda: ends.posts(callback))
    return ends.posts(callback)[0]


@pytest.mark.parametrize(("kind", "body"), _CONTENTS.values(), ids=_CONTENTS)
async def test_the_whole_topic_is_posted_to_the_exact_callback(
    ends: Ends, kind: str, body: bytes
) -> None:
    ends.serve("/t", body, kind)
    secret = "é+&= %"
    seen = await _delivered(ends, ends.base + _CALLBACK, secret=secret)
    assert (seen.method, seen.target, seen.body) == ("POST", _CALLBACK, body)
    assert {name.lower() for name, _ in seen.headers} == {
        "host",
        "user-agent",
        "connection",
        "content-type",
        "content-length",
        "link",
        "x-hub-signature",
    }
    assert seen.header("content-type") == [kind]
    assert seen.header("link") == [f'<{ends.url}>; rel="hub", <{ends.base}/t>; rel="self"']
    assert seen.header("x-hub-signature") == [signature(secret, body)]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, []),
        ({"secret": ""}, []),
        ({"secret": "x"}, [signature("x", b"new")]),
        ({"secret": "x" * 199}, [signature("x" * 199, b"new")]),
        ({"secret": "x", "verify": "async"}, [signature("x", b"new", "sha1")]),
    ],
    ids=["none", "empty", "one byte", "199 bytes", "asked for in the old manner"],
)
async def test_who_gave_a_secret_gets_a_signature(
    ends: Ends, asked: dict[str, str], expected: list[str]
) -> None:
    ends.serve("/t", "new")
    seen = await _delivered(ends, ends.base + "/cb", **asked)
    assert seen.header("x-hub-signature") == expected


_IN_ATOM = '<link rel="hub" href="http://other.example/h"/><link rel="self" href="/own"/>'
_LINKED = {
    "a header": ("text/plain", "x", '<http://other.example/h>; rel="hub", </own>; rel=self'),
    "Atom": ("application/atom+xml", _ATOM.format(_IN_ATOM), "<x>; rel=next"),
    "HTML": ("text/html", f"<html><head>{_IN_ATOM}</head></html>", "<x>; rel=next"),
}


@pytest.mark.parametrize(("kind", "body", "link"), _LINKED.values(), ids=_LINKED)
async def test_the_links_are_those_that_the_topic_advertises(
    ends: Ends, kind: str, body: str, link: str
) -> None:
    ends.serve("/t", body, kind, Link=link)
    seen = await _delivered(ends, ends.base + "/cb")
    expected = f'<http://other.example/h>; rel="hub", <{ends.base}/own>; rel="self"'
    assert seen.header("link") == [expected]


async def test_of_several_hubs_it_names_itself(ends: Ends) -> None:
    ends.serve("/t", "x", Link=f'<http://other.example/h>; rel="hub", <{ends.url}>; rel="hub"')
    seen = await _delivered(ends, ends.base + "/cb")
    assert seen.header("link") == [f'<{ends.url}>; rel="hub", <{ends.base}/t>; rel="self"']


_ANSWERS = {
    **dict.fromkeys((200, 201, 202, 204, 206, 299, 410), 1),
    **dict.fromkeys((301, 302, 303, 307, 308, 400, 404, 500, 503), 2),
}


async def test_2xx_is_success_410_the_end_and_all_else_is_tried_again(ends: Ends) -> None:
    topic = ends.serve("/t", "first")
    for number in _ANSWERS:
        ends.answers[f"/{number}"] = taking(
            number, '{"error": 1}' * (number == 200), Location="/on"
        )
        await ends.ask("subscribe", topic, f"{ends.base}/{number}", secret=f"secret {number}")
    await ends.all_settled()
    await ends.ping(ends.serve("/t", "second"))
    await ends.until(lambda: sum(s.method == "POST" for s in ends.seen) >= sum(_ANSWERS.values()))
    counts = {n: len(ends.posts(f"{ends.base}/{n}")) for n in _ANSWERS}
    assert counts == _ANSWERS
    for number in _ANSWERS:
        for seen in ends.posts(f"{ends.base}/{number}"):
            expected = [signature(f"secret {number}", b"second")]
            assert seen.header("x-hub-signature") == expected
    # All are still subscribed but the one that said it was gone.
    await ends.ping(ends.serve("/t", "third"))
    await ends.until(
        lambda: sum(b"third" in ends.bodies(f"{ends.base}/{n}") for n in _ANSWERS) > 14
    )
    assert b"third" not in ends.bodies(f"{ends.base}/410")
    assert not any(seen.path == "/on" for seen in ends.seen)


async def test_attempts_grow_apart_end_after_five_and_the_next_change_is_tried_again(
    ends: Ends,
) -> None:
    topic, callback = ends.serve("/t", "first"), ends.base + "/cb"
    await ends.settled("subscribe", topic, callback)
    ends.answers["/cb"] = taking(500)
    await ends.ping(ends.serve("/t", "second"))
    await ends.until(lambda: len(ends.posts(callback)) == 5)
    times = [seen.at for seen in ends.posts(callback)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    # 0.3, 0.6, 1.2 and 2.4 s, on a machine that has other things to do.
    assert gaps == sorted(gaps)
    assert sum(gaps) > 4
    ends.answers["/cb"] = taking(200)
    await ends.delivered(topic, "third", callback)
    assert ends.bodies(callback) == [b"second"] * 5 + [b"third"]


async def test_a_slow_receiver_gets_one_copy_and_holds_up_nobody(ends: Ends) -> None:
    topic, slow, other = ends.serve("/t", "first"), ends.base + "/slow", ends.base + "/other"
    answered = asyncio.Event()

    async def hang(seen: Seen) -> web.Response:
        if seen.method == "POST":
            await answered.wait()
        return confirm(seen)

    ends.answers["/slow"] = hang
    for callback in (slow, other):
        await ends.settled("subscribe", topic, callback)
    await ends.delivered(topic, "second", slow, other)
    await ends.delivered(topic, "third", other)
    await asyncio.sleep(2.5)
    await ends.settled("subscribe", topic, slow)
    assert ends.bodies(slow) == [b"second"]
    await ends.delivered(topic, "fourth", other)
    answered.set()
    await ends.until(lambda: len(ends.posts(slow)) == 2)
    assert ends.bodies(slow) == [b"second", b"fourth"]


class _Endless:
    """A server whose answers never end, but for confirmations; knows who has hung up."""

    def __init__(self, head: bytes) -> None:
        self._head = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n"
        self.begun = 0
        self.hung_up = asyncio.Semaphore(0)
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        challenge = re.search(r"hub\.challenge=([\w-]+)", request)
        if challenge:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + challenge[1].encode())
        else:
            self.begun += 1
            writer.write(self._head)
            with contextlib.suppress(ConnectionError):
                while True:
                    writer.write(b"x" * 65_536)
                    await writer.drain()
            self.hung_up.release()
        writer.close()


@contextlib.asynccontextmanager
async def _endless(head: bytes = b"") -> AsyncIterator[_Endless]:
    endless = _Endless(head)
    server = await asyncio.start_server(endless.answer, "127.0.0.1", 0)
    async with server:
        endless.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        yield endless


async def test_an_endless_answer_is_a_success_and_is_not_read_to_its_end(ends: Ends) -> None:
    async with _endless() as endless, asyncio.timeout(8):
        topic, control = ends.serve("/t", "first"), ends.base + "/control"
        for callback in (control, endless.url):
            await ends.ask("subscribe", topic, callback)
        await ends.all_settled()
        for body in ("second", "third"):
            await ends.delivered(topic, body, control)
            await endless.hung_up.acquire()
        await ends.delivered(topic, "fourth", control)
        await endless.hung_up.acquire()
        assert endless.begun == 3


async def test_an_endless_topic_is_given_up_and_not_delivered(ends: Ends) -> None:
    async with _endless(b"Content-Type: text/plain\r\n") as endless, asyncio.timeout(15):
        callback = ends.base + "/cb"
        await ends.ask("subscribe", endless.url, callback)
        await endless.hung_up.acquire()
        await ends.until(lambda: ends.gets(callback))
        await ends.ping(endless.url)
        await endless.hung_up.acquire()
        assert not ends.posts(callback)
