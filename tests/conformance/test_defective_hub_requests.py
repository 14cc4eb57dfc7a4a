"""What the yardstick hub takes, refuses, and answers (WebSub 5.1)."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tests.conformance.defective.ends import Ends, Seen, confirm, hub_and_ends, status


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    async with hub_and_ends() as opened:
        yield opened


_BAD = {
    "no mode": {"mode": None},
    "an unknown mode": {"mode": "foo"},
    "no topic": {"topic": None},
    "an empty topic": {"topic": ""},
    "no callback": {"callback": None},
    "an empty callback": {"callback": ""},
    "a callback that is no URL": {"callback": "not a url"},
    "an ftp callback": {"callback": "ftp://127.0.0.1/"},
    "a script as topic": {"topic": "javascript:1"},
    "a callback without host": {"callback": "http:///cb"},
    "a fragment": {"topic": "http://127.0.0.1/t#part"},
    "a lease of 0": {"lease_seconds": "0"},
    "a negative lease": {"lease_seconds": "-1"},
    "a secret of 200 bytes": {"secret": "x" * 200},
    "a secret of 201 bytes": {"secret": "x" * 201},
    "a secret of 100 characters in 200 bytes": {"secret": "é" * 100},
}


@pytest.mark.parametrize("changed", _BAD.values(), ids=_BAD)
async def test_a_bad_request_is_refused_in_plain_text(
    ends: Ends, changed: dict[str, str | None]
) -> None:
    usual = {"mode": "subscribe", "topic": ends.base + "/t", "callback": ends.base + "/bad"}
    fields = {**usual, **changed}
    form = [(f"hub.{name}", value) for name, value in fields.items() if value is not None]
    answer = await ends.post(form)
    await ends.settled("subscribe", ends.base + "/t", ends.base + "/good")
    assert (answer.status, answer.content_type, bool(answer.body)) == (400, "text/plain", True)
    assert not ends.gets(ends.base + "/bad")


_FORM = b"hub.mode=subscribe&hub.topic=http://127.0.0.1/t&hub.callback=http://127.0.0.1:1/cb"


_BODIES = {
    "a form with a charset": (_FORM, "application/x-www-form-urlencoded; charset=UTF-8", 202),
    "a JSON body": (b"{}", "application/json", 415),
    "an empty body": (b"", "application/x-www-form-urlencoded", 400),
    "bytes that are not UTF-8": (_FORM + b"&x=\xff", "application/x-www-form-urlencoded", 400),
    "an escape that is not UTF-8": (_FORM + b"&x=%ff", "application/x-www-form-urlencoded", 400),
    "2 MiB": (_FORM + b"&x=" + b"y" * 2**21, "application/x-www-form-urlencoded", 413),
    "no parameter for a ping": (b"hub.mode=publish", "application/x-www-form-urlencoded", 400),
    "a bad URL in a ping": (b"hub.mode=publish&hub.url=ftp://x/", "", 400),
}


@pytest.mark.parametrize(("body", "kind", "expected"), _BODIES.values(), ids=_BODIES)
async def test_a_body_is_taken_or_refused_and_the_hub_lives_on(
    ends: Ends, body: bytes, kind: str, expected: int
) -> None:
    assert (await ends.post(body, kind)).status == expected
    assert (await ends.post(_FORM)).status == 202


async def test_parameters_in_the_query_string_are_not_taken(ends: Ends) -> None:
    ends.url += "?" + _FORM.decode()
    assert (await ends.post(b"")).status == 400


async def test_the_answer_comes_at_once_and_before_the_verification_is_answered(
    ends: Ends,
) -> None:
    answered, topic = asyncio.Event(), ends.serve("/t", "first")

    async def after_the_answer(seen: Seen) -> web.Response:
        await answered.wait()
        return confirm(seen)

    ends.answers["/waits"] = after_the_answer
    ends.answers["/missing"] = status(404)
    async with asyncio.timeout(2):
        assert await ends.ask("subscribe", topic, ends.base + "/waits") == 202
        assert await ends.ask("subscribe", topic, ends.base + "/missing") == 202
        assert await ends.ask("subscribe", ends.base + "/missing", ends.base + "/cb") == 202
        assert await ends.ask("unsubscribe", ends.base + "/unknown", ends.base + "/cb") == 202
    answered.set()
    await ends.until(lambda: ends.gets(ends.base + "/waits"))


async def test_a_moved_hub_names_the_one_that_serves(ends: Ends) -> None:
    ends.url += "moved"
    answer = await ends.post(_FORM)
    assert (answer.status, answer.headers.get("Location")) == (307, "/")


async def test_the_hub_lists_no_subscriptions(ends: Ends) -> None:
    await ends.settled("subscribe", ends.base + "/t", ends.base + "/cb")
    assert ends.base not in await ends.page()


async def test_a_flood_of_verifications_for_one_host_is_bounded(ends: Ends) -> None:
    never = asyncio.Event()

    async def hang(_: Seen) -> web.Response:
        await never.wait()
        return web.Response()

    asked = []
    for n in range(200):
        ends.answers[f"/hangs{n}"] = hang
        asked.append(ends.ask("subscribe", ends.serve("/t", "x"), f"{ends.base}/hangs{n}"))
    statuses = await asyncio.gather(*asked)
    assert {n: statuses.count(n) for n in set(statuses)} == {202: 150, 429: 50}
    await ends.until(lambda: sum(s.path.startswith("/hangs") for s in ends.seen) == 50)


_LONG = "9" * 13


@pytest.mark.parametrize(
    ("asked", "announced"),
    [("3600", "3600"), ("1", "1"), (_LONG, "2592000"), ("", "864000")],
    ids=["an hour", "a second", "beyond the bound", "empty"],
)
async def test_the_lease_is_announced_as_granted(ends: Ends, asked: str, announced: str) -> None:
    seen = await ends.settled("subscribe", ends.base + "/t", ends.base + "/cb", lease_seconds=asked)
    assert dict(seen.fields)["hub.lease_seconds"] == announced
