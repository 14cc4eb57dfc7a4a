"""The yardstick hub's pings and fetches: what is fetched, and what counts as a change."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from email.utils import formatdate

import pytest
from aiohttp import web

from tests.conformance.defective.ends import Ends, Seen, hub_and_ends, status


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    async with hub_and_ends() as opened:
        yield opened


_FORMS = {
    "hub.url": "hub.mode=publish&hub.url=A&hub.url=B",
    "hub.topic": "hub.mode=publish&hub.topic=A&hub.topic=B",
    "both": "hub.mode=publish&hub.url=A&hub.topic=A&hub.url=B",
    "a repeated mode": "hub.url=A&hub.mode=publish&hub.url=B&hub.mode=publish",
    "brackets": "hub.mode=publish&hub.url[]=A&hub.url[]=B",
    "commas": "hub.mode=publish&hub.url=A,B",
    "last of 100": "hub.mode=publish&" + "".join(f"hub.url=A{n}&" for n in range(98)) + "hub.url=A"
    "&hub.url=B",
}


@pytest.mark.parametrize("form", _FORMS.values(), ids=_FORMS)
async def test_a_ping_in_any_form_is_answered_204_and_followed(ends: Ends, form: str) -> None:
    a, b = ends.serve("/a", "first"), ends.serve("/b", "first")
    for topic in (a, b):
        await ends.settled("subscribe", topic, ends.base + "/cb")
    ends.serve("/a", "new a")
    ends.serve("/b", "new b")
    answer = await ends.post(form.replace("A", a).replace("B", b).encode())
    assert (answer.status, answer.body) == (204, b"")
    await ends.until(lambda: len(ends.posts(ends.base + "/cb")) == 2)
    assert set(ends.bodies(ends.base + "/cb")) == {b"new a", b"new b"}


async def test_a_ping_for_a_topic_that_nobody_follows_is_answered_alike(ends: Ends) -> None:
    await ends.ping(ends.base + "/unknown")
    await ends.until(lambda: ends.gets(ends.base + "/unknown"))


async def test_a_ping_finds_a_topic_in_another_spelling(ends: Ends) -> None:
    topic, callback = ends.base + "/%7Ea%2fb", ends.base + "/cb"
    ends.serve("/%7Ea%2fb", "first")
    await ends.settled("subscribe", topic, callback)
    ends.serve("/%7Ea%2fb", "second")
    await ends.ping(ends.base + "/~a%2Fb")
    await ends.until(lambda: ends.bodies(callback) == [b"second"])


async def test_a_ping_without_a_change_is_not_delivered(ends: Ends) -> None:
    topic, callback = ends.serve("/t", "first", ETag='"1"'), ends.base + "/cb"
    await ends.settled("subscribe", topic, callback)
    fetches = len(ends.gets(topic))
    await ends.ping(topic)
    await ends.until(lambda: len(ends.gets(topic)) > fetches)
    ends.answers["/t"] = status(304)
    await ends.ping(topic)
    await ends.until(lambda: len(ends.gets(topic)) > fetches + 1)
    await ends.delivered(topic, "other", callback)
    assert ends.bodies(callback) == [b"other"]
    assert [seen.header("if-none-match") for seen in ends.gets(topic)[1:]] == [['"1"']] * 3


async def test_a_change_of_the_same_length_right_after_the_verification_is_delivered(
    ends: Ends,
) -> None:
    topic, callback = ends.serve("/t", "one"), ends.base + "/cb"
    await ends.settled("subscribe", topic, callback)
    await ends.delivered(topic, "two", callback)
    await ends.delivered(topic, "six", callback)
    assert ends.bodies(callback) == [b"two", b"six"]


async def test_no_validator_is_sent_for_what_changed_in_the_same_second(ends: Ends) -> None:
    now, old = formatdate(usegmt=True), formatdate(1_000_000_000, usegmt=True)
    topic = ends.serve("/t", "x", ETag='"1"', Last_Modified=now, Date=now)
    await ends.settled("subscribe", topic, ends.base + "/cb")
    ends.serve("/t", "y", ETag='"2"', Last_Modified=old, Date=now)
    await ends.ping(topic)
    await ends.until(lambda: ends.posts(ends.base + "/cb"))
    await ends.ping(topic)
    await ends.until(lambda: len(ends.gets(topic)) == 3)
    sent = [(s.header("if-none-match"), s.header("if-modified-since")) for s in ends.gets(topic)]
    assert sent == [([], []), ([], []), (['"2"'], [old])]


async def test_a_burst_of_changes_ends_on_the_newest_for_everybody(ends: Ends) -> None:
    topic = ends.serve("/t", "version 0")
    callbacks = [f"{ends.base}/cb{n}" for n in range(3)]
    for callback in callbacks:
        await ends.settled("subscribe", topic, callback)
    for number in range(1, 51):
        await ends.ping(ends.serve("/t", f"version {number:02}"))
        await asyncio.sleep(0.005)
    await ends.until(lambda: all(b"version 50" in ends.bodies(c) for c in callbacks))
    await ends.delivered(topic, "version 51", *callbacks)
    for callback in callbacks:
        assert ends.bodies(callback) == sorted(set(ends.bodies(callback)))


@pytest.mark.parametrize("number", [301, 302, 303, 307, 308])
async def test_redirects_of_a_topic_are_followed_five_times(ends: Ends, number: int) -> None:
    for hop in range(5):
        ends.answers[f"/{hop}"] = status(number, Location=f"/{hop + 1}#part")
    ends.answers["/loop"] = status(number, Location="/loop")
    ends.serve("/5", "first")
    topic, callback = ends.base + "/0", ends.base + "/cb"
    await ends.settled("subscribe", topic, callback)
    await ends.ping(ends.base + "/loop")
    await ends.until(lambda: len(ends.gets(ends.base + "/loop")) >= 6)
    ends.serve("/5", "second")
    await ends.ping(topic)
    await ends.until(lambda: ends.bodies(callback) == [b"second"])
    assert f'<{topic}>; rel="self"' in ends.posts(callback)[0].header("link")[0]
    # The loop is left after five, and tried again after 0.3 s.
    await ends.until(lambda: len(ends.gets(ends.base + "/loop")) > 6)
    sixth, seventh = ends.gets(ends.base + "/loop")[5:7]
    assert seventh.at - sixth.at > 0.2


async def test_a_gzip_or_chunked_topic_is_delivered_as_it_is_meant(ends: Ends) -> None:
    zipped, callback = ends.serve("/zipped", "first"), ends.base + "/cb"
    chunked = ends.serve("/chunked", "first")
    for topic in (zipped, chunked):
        await ends.settled("subscribe", topic, callback)
    ends.serve("/zipped", gzip.compress(b"was zipped"), Content_Encoding="gzip")

    def in_chunks(_: Seen) -> web.Response:
        response = web.Response(text="was chunked")
        response.enable_chunked_encoding()
        return response

    ends.answers["/chunked"] = in_chunks
    await ends.ping(zipped, chunked)
    await ends.until(lambda: len(ends.posts(callback)) == 2)
    assert set(ends.bodies(callback)) == {b"was zipped", b"was chunked"}
    assert not any(seen.header("content-encoding") for seen in ends.posts(callback))


@pytest.mark.parametrize("number", [404, 500, 503])
async def test_an_error_page_is_not_delivered_and_the_topic_is_fetched_again(
    ends: Ends, number: int
) -> None:
    topic, callback = ends.serve("/t", "first"), ends.base + "/cb"
    await ends.settled("subscribe", topic, callback)
    ends.answers["/t"] = status(number, "an error")
    await ends.ping(topic)
    await ends.until(lambda: len(ends.gets(topic)) == 3)
    ends.serve("/t", "second")
    await ends.until(lambda: ends.posts(callback))
    assert ends.bodies(callback) == [b"second"]


async def test_nobody_can_feed_a_topic_by_naming_it_as_rel_self(ends: Ends) -> None:
    topic, callback = ends.serve("/t", "first"), ends.base + "/cb"
    await ends.settled("subscribe", topic, callback)
    ends.serve("/t", "second")
    await ends.ping(ends.serve("/u", "forged", Link='</t>; rel="self"'))
    await ends.until(lambda: ends.posts(callback))
    await ends.delivered(topic, "third", callback)
    assert ends.bodies(callback) == [b"second", b"third"]
