"""The yardstick hub's subscriptions: leases, renewals, and the order of requests."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tests.conformance.defective.ends import (
    Ends,
    Seen,
    confirm,
    hub_and_ends,
    signature,
    status,
    taking,
)


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    async with hub_and_ends() as opened:
        yield opened


def _signatures(ends: Ends, callback: str) -> list[list[str]]:
    return [seen.header("x-hub-signature") for seen in ends.posts(callback)]


async def _two_changes(ends: Ends, topic: str, *controls: str) -> None:
    """The second is there to show that the hub is done with the first."""
    await ends.delivered(topic, "a change", *controls)
    await ends.delivered(topic, "another change", *controls)


async def test_a_lease_runs_from_the_verification_and_is_enforced(ends: Ends) -> None:
    topic, loop = ends.serve("/t", "first"), asyncio.get_running_loop()

    async def confirm_late(seen: Seen) -> web.Response:
        if seen.method == "GET":
            await asyncio.sleep(0.8)
        return confirm(seen)

    late, prompt, control = ends.base + "/late", ends.base + "/prompt", ends.base + "/control"
    ends.answers["/late"] = confirm_late
    await ends.settled("subscribe", topic, control)
    await ends.settled("subscribe", topic, prompt, lease_seconds="3")
    verification = await ends.settled("subscribe", topic, late, lease_seconds="3")
    await asyncio.sleep(verification.at + 2 - loop.time())
    await ends.delivered(topic, "within", prompt, late, control)
    # 0.8 s of the late one's lease were over when it confirmed.
    await asyncio.sleep(verification.at + 3.1 - loop.time())
    await _two_changes(ends, topic, control)
    assert ends.bodies(prompt) == ends.bodies(late) == [b"within"]


async def test_attempts_end_with_the_lease(ends: Ends) -> None:
    topic, failing, control = ends.serve("/t", "first"), ends.base + "/fails", ends.base + "/c"
    await ends.settled("subscribe", topic, control)
    verification = await ends.settled("subscribe", topic, failing, lease_seconds="1")
    ends.answers["/fails"] = ends.answers["/c"] = status(500)
    await ends.ping(ends.serve("/t", "second"))
    await ends.until(lambda: len(ends.posts(control)) == 4)
    assert ends.posts(failing)
    assert all(seen.at < verification.at + 1 for seen in ends.posts(failing))


async def test_a_renewal_replaces_the_secret_and_adds_no_delivery(ends: Ends) -> None:
    topic, callback = ends.serve("/t", "first"), ends.base + "/cb"
    for secret in ("one", "two", ""):
        await ends.settled("subscribe", topic, callback, secret=secret)
        await ends.delivered(topic, f"after {secret}", callback)
    await ends.delivered(topic, "last", callback)
    assert ends.bodies(callback) == [b"after one", b"after two", b"after ", b"last"]
    assert _signatures(ends, callback) == [
        [signature("one", b"after one")],
        [signature("two", b"after two")],
        [],
        [],
    ]


@pytest.mark.parametrize("number", [200, 302, 404, 500])
@pytest.mark.parametrize("mode", ["subscribe", "unsubscribe"])
async def test_a_request_that_fails_changes_nothing_nor_does_a_pending_one(
    ends: Ends, mode: str, number: int
) -> None:
    topic, callback = ends.serve("/t", "first"), ends.base + "/cb"
    await ends.settled("subscribe", topic, callback, secret="kept")
    asked, answered = asyncio.Event(), asyncio.Event()

    async def fail_later(seen: Seen) -> web.Response:
        if seen.method == "GET":
            asked.set()
            await answered.wait()
            return web.Response(status=number)
        return web.Response()

    ends.answers["/cb"] = fail_later
    await ends.ask(mode, topic, callback, secret="new")
    await asked.wait()
    await ends.delivered(topic, "while it is pending", callback)
    answered.set()
    await ends.all_settled()
    await ends.delivered(topic, "after it failed", callback)
    assert _signatures(ends, callback) == [
        [signature("kept", b"while it is pending")],
        [signature("kept", b"after it failed")],
    ]


async def test_an_unconfirmed_subscription_gets_nothing(ends: Ends) -> None:
    topic, callback, control = ends.serve("/t", "first"), ends.base + "/cb", ends.base + "/c"
    answered = asyncio.Event()

    async def wait(seen: Seen) -> web.Response:
        await answered.wait()
        return confirm(seen)

    ends.answers["/cb"] = wait
    await ends.settled("subscribe", topic, control)
    await ends.ask("subscribe", topic, callback)
    await ends.until(lambda: ends.gets(callback))
    await _two_changes(ends, topic, control)
    assert not ends.posts(callback)
    answered.set()


async def test_unsubscribing_ends_that_pair_only_and_does_not_ask_the_topic(ends: Ends) -> None:
    topics = [ends.serve("/t1", "first"), ends.serve("/t2", "first")]
    a, b = ends.base + "/a", ends.base + "/b"
    for callback in (a, b):
        for topic in topics:
            await ends.settled("subscribe", topic, callback)
    fetches = len(ends.gets(topics[0]))
    kept, ends.answers["/t1"] = ends.answers["/t1"], status(404)
    await ends.settled("unsubscribe", topics[0], a, lease_seconds="abc")
    await ends.settled("unsubscribe", topics[0], ends.base + "/never-subscribed")
    assert len(ends.gets(topics[0])) == fetches
    ends.answers["/t1"] = kept
    await _two_changes(ends, topics[0], b)
    await ends.delivered(topics[1], "of the other topic", a, b)
    assert ends.bodies(a) == [b"of the other topic"]
    assert ends.bodies(b) == [b"a change", b"another change", b"of the other topic"]


async def test_attempts_end_with_the_unsubscription(ends: Ends) -> None:
    topic, failing, control = ends.serve("/t", "first"), ends.base + "/fails", ends.base + "/c"
    for callback in (failing, control):
        await ends.settled("subscribe", topic, callback)
    ends.answers["/fails"] = ends.answers["/c"] = taking(500)
    await ends.ping(ends.serve("/t", "second"))
    await ends.until(lambda: ends.posts(failing))
    await ends.settled("unsubscribe", topic, failing)
    attempts = len(ends.posts(failing))
    await ends.until(lambda: len(ends.posts(control)) == 4)
    assert len(ends.posts(failing)) == attempts


async def _ask_twice(ends: Ends, newer: int) -> tuple[str, asyncio.Event]:
    """Returns the callback of two requests: the older waits, the newer is answered so."""
    topic, callback, later = ends.serve("/t", "first"), ends.base + "/cb", asyncio.Event()

    async def answer(seen: Seen) -> web.Response:
        if seen.method == "POST":
            return web.Response()
        if len(ends.gets(callback)) == 1:
            await later.wait()
            return confirm(seen)
        return web.Response(status=newer, body=seen.challenge.encode())

    ends.answers["/cb"] = answer
    await ends.ask("subscribe", topic, callback, secret="older")
    await ends.until(lambda: ends.gets(callback))
    assert await ends.ask("subscribe", topic, callback, secret="newer") == 202
    assert await ends.ask("subscribe", topic, callback, secret="a third") == 429
    await ends.until(lambda: len(ends.gets(callback)) == 2)
    return callback, later


async def test_an_older_request_confirmed_after_a_newer_one_is_not_applied(ends: Ends) -> None:
    callback, later = await _ask_twice(ends, newer=200)
    await ends.delivered(ends.base + "/t", "second", callback)
    later.set()
    await ends.all_settled()
    await ends.delivered(ends.base + "/t", "third", callback)
    assert _signatures(ends, callback) == [
        [signature("newer", b"second")],
        [signature("newer", b"third")],
    ]


async def test_an_older_request_confirmed_after_a_newer_one_failed_is_applied(ends: Ends) -> None:
    callback, later = await _ask_twice(ends, newer=404)
    # By the time that this one is asked, the hub has had the newer one's answer.
    await ends.ask("subscribe", ends.base + "/t", ends.base + "/control")
    await ends.until(lambda: ends.gets(ends.base + "/control"))
    later.set()
    await ends.all_settled()
    await ends.delivered(ends.base + "/t", "second", callback)
    assert _signatures(ends, callback) == [[signature("older", b"second")]]
