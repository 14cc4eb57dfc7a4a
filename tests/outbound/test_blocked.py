"""What the door doesn't reach, whatever a URL, a name or a redirect says."""

import asyncio
import dataclasses
import ipaddress
from collections.abc import Awaitable, Callable

import pytest

from hub.outbound.door import Door, DoorConfig
from hub.outbound.request import Answer, NoAnswer, Purpose, Reason, Request, TooLong

Serve = Callable[..., Awaitable[str]]
OpenDoor = Callable[[DoorConfig], Door]

GET = Request(
    purpose=Purpose.FETCH,
    method="GET",
    url="",
    deadline_s=5,
    max_body_bytes=1000,
    too_long=TooLong.FAIL,
    max_redirects=5,
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ONE_ADDRESS = (ipaddress.ip_network("127.0.0.1/32"),)


async def one(door: Door, request: Request, url: str) -> Answer | NoAnswer:
    return await door.send([dataclasses.replace(request, url=url)])[0]


async def reason(door: Door, request: Request, url: str) -> Reason:
    outcome = await one(door, request, url)
    assert isinstance(outcome, NoAnswer), outcome
    return outcome.reason


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "017700000001",
        "%31%32%37.0.0.1",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[fe80::1%25lo]",
        "169.254.169.254",
        "10.0.0.1",
    ],
)
async def test_no_spelling_of_a_local_address_is_reached(
    open_door: OpenDoor, answering: Serve, heard: list[bytes], purpose: Purpose, host: str
) -> None:
    port = (await answering(OK)).rpartition(":")[2]
    request = dataclasses.replace(GET, purpose=purpose)
    got = await reason(open_door(DoorConfig(user_agent="x")), request, f"http://{host}:{port}/")
    assert got is Reason.ADDRESS_BLOCKED
    assert heard == []


async def test_the_topics_list_opens_no_callback_and_the_other_way_round(
    open_door: OpenDoor, answering: Serve
) -> None:
    url = await answering(OK)
    callback = dataclasses.replace(GET, purpose=Purpose.DELIVERY)
    door = open_door(DoorConfig(user_agent="x", topics_allow=ONE_ADDRESS))
    # The kept connection of the first opens nothing either.
    assert isinstance(await one(door, GET, url), Answer)
    assert await reason(door, callback, url) is Reason.ADDRESS_BLOCKED
    door = open_door(DoorConfig(user_agent="x", callbacks_allow=ONE_ADDRESS))
    assert isinstance(await one(door, callback, url), Answer)
    assert await reason(door, GET, url) is Reason.ADDRESS_BLOCKED


def redirect(location: str, status: int = 302, extra: str = "") -> bytes:
    head = f"HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n{extra}"
    return f"{head}\r\n".encode()


async def test_a_redirect_to_a_blocked_address_is_not_followed(
    open_door: OpenDoor, answering: Serve, heard: list[bytes]
) -> None:
    inside = await answering(OK, host="127.0.0.2")
    door = open_door(DoorConfig(user_agent="x", topics_allow=ONE_ADDRESS))
    assert await reason(door, GET, await answering(redirect(inside))) is Reason.ADDRESS_BLOCKED
    assert len(heard) == 1


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "gopher://127.0.0.1:1/x", "http:///", "http://h\\x/", "http://h:x/"],
)
async def test_a_redirect_to_what_is_no_plain_http_url_is_not_followed(
    door: Door, answering: Serve, location: str
) -> None:
    assert await reason(door, GET, await answering(redirect(location))) is Reason.BAD_URL


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://127.0.0.1/", "http://u:p@127.0.0.1/", "", "http://a b/"]
)
async def test_a_bad_url_is_an_outcome(door: Door, url: str) -> None:
    assert await reason(door, GET, url) is Reason.BAD_URL


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_the_answer_where_none_are_followed(
    door: Door, answering: Serve, heard: list[bytes], status: int
) -> None:
    url = await answering(redirect("/other", status))
    for method in ("GET", "POST"):
        request = dataclasses.replace(GET, method=method, max_redirects=0)
        outcome = await one(door, request, url)
        assert isinstance(outcome, Answer)
        assert (outcome.status, outcome.headers[0]) == (status, ("location", "/other"))
    assert len(heard) == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed_with_the_same_headers_and_no_cookie(
    door: Door, answering: Serve, heard: list[bytes], status: int
) -> None:
    last = await answering(OK)
    first = await answering(redirect(f"{last}/%7e/../é?a=%2f#f", status, "Set-Cookie: a=b\r\n"))
    request = dataclasses.replace(GET, headers=(("If-None-Match", '"1"'),))
    outcome = await one(door, request, first)
    assert isinstance(outcome, Answer)
    assert (outcome.status, outcome.body) == (200, b"ok")
    assert outcome.headers == (("content-length", "2"),)
    assert outcome.url.startswith(last)
    assert b'If-None-Match: "1"' in heard[1]
    assert b"ookie" not in heard[1]
    assert heard[1].startswith(b"GET /")
    assert b"%C3%A9?a=%2" in heard[1].split(b"\r\n")[0]


async def test_credentials_in_a_redirect_are_dropped(
    door: Door, answering: Serve, heard: list[bytes]
) -> None:
    last = await answering(OK)
    location = last.replace("http://", "http://user:secret@")
    outcome = await one(door, GET, await answering(redirect(location)))
    assert isinstance(outcome, Answer)
    assert outcome.url == f"{last}/"
    assert b"authorization" not in heard[1].lower()


async def test_relative_redirects_are_followed_up_to_the_limit(
    door: Door, answering: Serve, heard: list[bytes]
) -> None:
    url = await answering(redirect("next?x"))
    assert await reason(door, GET, f"{url}/a/b") is Reason.TOO_MANY_REDIRECTS
    assert [item.split(b" ")[1] for item in heard] == [b"/a/b"] + [b"/a/next?x"] * 5


async def test_a_3xx_that_leads_nowhere_is_an_answer(door: Door, answering: Serve) -> None:
    for said in (b"HTTP/1.1 304 Same\r\n\r\n", b"HTTP/1.1 302 Hm\r\nContent-Length: 0\r\n\r\n"):
        assert isinstance(await one(door, GET, await answering(said)), Answer)


@pytest.mark.slow
async def test_redirects_do_not_extend_the_deadline(
    open_door: OpenDoor, serve: Serve, answering: Serve
) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            await asyncio.sleep(0.15)
            writer.write(redirect("/"))

    door = open_door(DoorConfig(user_agent="x", topics_allow=ONE_ADDRESS))
    request = dataclasses.replace(GET, deadline_s=0.4, max_redirects=50)
    outcome = await one(door, request, await serve(slow))
    assert isinstance(outcome, NoAnswer)
    assert outcome.reason is Reason.TIMED_OUT
    assert 0.38 < outcome.elapsed_s < 0.7
