"""How the yardstick hub asks callbacks, and what confirms (WebSub 5.2, 5.3)."""

import asyncio
import re
import shutil
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web

from tests.conformance.defective.ends import Answering, Ends, Seen, hub_and_ends, status


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    async with hub_and_ends() as opened:
        yield opened


_CALLBACK = "/p/%7Ex/a%2Fb//c?foo=bar&a=%2F&b=c+d&e&f=&hub.mode=mine&hub.challenge=mine"


async def test_a_verification_is_the_exact_callback_with_the_parameters_after_it(
    ends: Ends,
) -> None:
    topic, callback = f"{ends.base}/T%20é/%7E?a=1&b=%2f", ends.base + _CALLBACK
    seen = await ends.settled("subscribe", topic, callback, verify_token="a b", foo="x")
    assert seen.target.startswith(_CALLBACK + "&")
    own = dict(seen.fields[-5:])
    assert own.pop("hub.challenge") == seen.challenge
    assert own == {
        "hub.mode": "subscribe",
        "hub.topic": topic,
        "hub.lease_seconds": "864000",
        "hub.verify_token": "a b",
    }
    assert (seen.header("host"), seen.body) == ([ends.base.removeprefix("http://")], b"")
    assert all(len(s.header("user-agent")) == 1 for s in ends.seen)
    # The topic, asked for as it is written, but for what a request line cannot hold.
    assert ends.seen[0].target == "/T%20%C3%A9/%7E?a=1&b=%2f"


@pytest.mark.parametrize("path", ["/Up", "/Up/", ""], ids=["no slash at the end", "slash", "bare"])
async def test_the_topic_is_echoed_as_it_was_sent(ends: Ends, path: str) -> None:
    topic = f"http://LOCALHOST:80{path}"
    seen = await ends.settled("subscribe", topic, ends.base + "/cb")
    assert ("hub.topic", topic) in seen.fields


async def test_challenges_are_long_random_and_of_plain_characters(ends: Ends) -> None:
    callbacks = [f"{ends.base}/cb{n}" for n in range(20)]
    await asyncio.gather(*(ends.ask("subscribe", ends.base + "/t", c) for c in callbacks))
    await ends.until(lambda: all(ends.gets(c) for c in callbacks))
    challenges = [ends.gets(c)[0].challenge for c in callbacks]
    assert len({challenge[:8] for challenge in challenges}) == 20
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{16,64}", challenge) for challenge in challenges)


async def test_a_verification_without_an_answer_is_tried_again_with_another_challenge(
    ends: Ends,
) -> None:
    callback = ends.base + "/closes"
    ends.answers["/closes"] = lambda _: None
    await ends.ask("subscribe", ends.base + "/t", callback)
    await ends.until(lambda: len(ends.gets(callback)) == 3)
    assert len({seen.challenge for seen in ends.gets(callback)}) == 3


def _echo(number: int, body: str, kind: str | None, *, is_chunked: bool) -> Answering:
    def answer(seen: Seen) -> web.Response:
        if seen.method == "POST":
            return web.Response()
        text = body.replace("OTHER", seen.challenge.swapcase()).replace("SAME", seen.challenge)
        headers = {"Location": f"/onward?hub.challenge={seen.challenge}"}
        response = web.Response(status=number, body=text.encode(), headers=headers)
        if kind:
            response.headers["Content-Type"] = kind
        if is_chunked:
            response.enable_chunked_encoding()
        return response

    return answer


_CONFIRMING = {
    "200": (200, "SAME", "text/plain"),
    "201": (201, "SAME", "text/html"),
    "202": (202, "SAME", "application/octet-stream"),
    "299": (299, "SAME", None),
    "chunked": (200, "SAME", "text/plain"),
}


_FAILING = {
    **{str(n): (n, "SAME", "text/plain") for n in (301, 302, 303, 307, 308, 400, 404, 410, 500)},
    "empty": (200, "", "text/plain"),
    "wrong": (200, "wrong", "text/plain"),
    "longer": (200, "SAMEx", "text/plain"),
    "newline": (200, "SAME\n", "text/plain"),
    "space": (200, " SAME", "text/plain"),
    "quoted": (200, '"SAME"', "application/json"),
    "page": (200, "<p>SAME</p>", "text/html"),
    "other case": (200, "OTHER", "text/plain"),
}


async def test_the_challenge_alone_with_any_2xx_confirms_and_nothing_else(ends: Ends) -> None:
    topic = ends.serve("/t", "first")
    for name, (number, body, kind) in {**_CONFIRMING, **_FAILING}.items():
        path = f"/{name.replace(' ', '-')}"
        ends.answers[path] = _echo(number, body, kind, is_chunked=name == "chunked")
        await ends.ask("subscribe", topic, ends.base + path)
    await ends.all_settled()
    confirming = [f"{ends.base}/{name}" for name in _CONFIRMING]
    await ends.delivered(topic, "second", *confirming)
    await ends.delivered(topic, "third", *confirming)
    assert {seen.path for seen in ends.seen if seen.method == "POST"} == {
        f"/{name}" for name in _CONFIRMING
    }
    assert not ends.gets(ends.base + "/onward")
    assert not any(("hub.mode", "denied") in seen.fields for seen in ends.seen)


async def test_a_forbidden_topic_is_denied_and_never_delivered(ends: Ends) -> None:
    ends.answers["/t"] = status(403)
    callback = ends.base + "/cb?own=1"
    seen = await ends.settled("subscribe", ends.base + "/t", callback)
    policy = await ends.settled("subscribe", "http://denied.example/t", ends.base + "/policy")
    assert seen.target.startswith("/cb?own=1&")
    for denial, topic in ((seen, ends.base + "/t"), (policy, "http://denied.example/t")):
        fields = dict(denial.fields)
        assert (fields["hub.mode"], fields["hub.topic"]) == ("denied", topic)
        assert "hub.challenge" not in fields
    await ends.settled("subscribe", ends.serve("/t", "first"), ends.base + "/control")
    await ends.delivered(ends.base + "/t", "second", ends.base + "/control")
    await ends.delivered(ends.base + "/t", "third", ends.base + "/control")
    assert not ends.posts(callback)


async def _tls_server(folder: Path, on_request: Callable[[bytes], None]) -> asyncio.Server:
    """Starts a server with a certificate that nobody vouches for."""
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    files = ("-keyout", str(folder / "key"), "-out", str(folder / "certificate"))
    command = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject, *files)
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stderr=quiet)
    assert await process.wait() == 0
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "certificate", folder / "key")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        on_request(await reader.read(1000))
        writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
async def test_a_callback_whose_certificate_nobody_vouches_for_is_asked_nothing(
    ends: Ends, tmp_path: Path
) -> None:
    requests: list[bytes] = []
    async with await _tls_server(tmp_path, requests.append) as server:
        port = server.sockets[0].getsockname()[1]
        assert await ends.ask("subscribe", ends.base + "/t", f"https://127.0.0.1:{port}/") == 202
        await ends.all_settled()
    assert not requests


async def test_a_callback_that_does_not_speak_tls_is_not_asked_without_it(ends: Ends) -> None:
    callback = ends.base.replace("http:", "https:") + "/cb"
    assert await ends.ask("subscribe", ends.base + "/t", callback) == 202
    await ends.all_settled()
    assert not ends.gets(ends.base + "/cb")
