"""Content that is sent to /t/NAME: written, served, and out by every channel."""

import asyncio
import itertools
import json
from typing import Any

import pytest

from hub.protocol.requests import Mode
from hub.store.event_id import EventId
from hub.store.results import StoreFull
from hub.web.app import create_app
from hub.web.connection import listening
from hub.web.own.resource import OwnTopicPages
from hub.web.tokens import Tokens
from tests.protocol.policy import POLICY
from tests.web.events.served import SSE, open_served
from tests.web.hub_server import FACE
from tests.web.own.conftest import DOOR, MAX, TOKEN, Door
from tests.workers.feeds import ATOM, JSON, atom, entries_of, json_feed
from tests.workers.sites import Site

HUB = "http://hub.example/"


async def events(door: Door, *, after: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await door.served.pull(DOOR, after=after))["events"]
    return found


class TestWhatIsPublished:
    async def test_is_served_as_a_topic_that_names_this_hub_and_itself(self, door: Door) -> None:
        assert (await door.post(b"open", "text/plain; charset=utf-8")).status == 202
        said = await door.get()
        assert (said.status, said.body) == (200, b"open")
        assert said.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert said.headers["Link"] == f'<{HUB}>; rel="hub", <{DOOR}>; rel="self"'

    async def test_reaches_a_callback_with_its_type_and_the_id_that_the_answer_told(
        self, door: Door, site: Site
    ) -> None:
        callback = site.callback("/callback")
        await door.served.hub.subscribe(door.topic, callback)
        written = await door.post(b"open", "text/x-door")
        (delivery,) = await callback.wait_for(1)
        assert delivery.body == b"open"
        assert delivery.header("content-type") == "text/x-door"
        assert delivery.header("webhook-id") == written.headers["Webhook-Id"]
        assert delivery.header("link") == f'<{HUB}>; rel="hub", <{DOOR}>; rel="self"'

    async def test_comes_on_a_stream_with_the_same_id(self, door: Door) -> None:
        first = await door.post(b"shut")
        async with door.served.streaming(door.served.url(DOOR), Accept=SSE) as stream:
            await stream.block()
            second = await door.post(b"open")
            event = await stream.event()
        assert (event["topic"], event["body"]) == (DOOR, "open")
        assert event["id"] == second.headers["Webhook-Id"] != first.headers["Webhook-Id"]

    async def test_is_an_event_each_time_even_if_it_is_the_same(self, door: Door) -> None:
        ids = [(await door.post(b"ring")).headers["Webhook-Id"] for _ in range(3)]
        assert [event["id"] for event in await events(door, after="earliest")] == ids

    async def test_is_nothing_before_the_first_time(self, door: Door) -> None:
        said = await door.get()
        assert said.status == 404
        assert said.body.startswith(f"Nothing has been published at {DOOR} yet.".encode())

    async def test_needs_no_content_type(self, door: Door) -> None:
        assert (await door.post(b"\x00\x01", None)).status == 202
        assert (await door.get()).headers["Content-Type"] == "application/octet-stream"
        (event,) = await events(door, after="earliest")
        assert event["body_base64"] == "AAE="

    async def test_is_never_a_page_of_the_hubs_own(self, door: Door) -> None:
        await door.post(b"<script>alert(1)</script>", "text/html")
        said = await door.get()
        assert said.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert said.headers["X-Content-Type-Options"] == "nosniff"
        assert said.headers["Access-Control-Allow-Origin"] == "*"

    async def test_is_not_sent_again_to_who_has_it(self, door: Door) -> None:
        await door.post(b"open")
        etag = (await door.get()).headers["ETag"]
        said = await door.get(If_None_Match=etag)
        assert (said.status, said.body, said.headers["ETag"]) == (304, b"", etag)
        await door.post(b"shut")
        assert (await door.get(If_None_Match=etag)).body == b"shut"

    async def test_answers_head_without_a_body(self, door: Door) -> None:
        await door.post(b"open")
        said = await door.get("HEAD")
        assert (said.status, said.body, said.headers["Content-Length"]) == (200, b"", "4")
        assert 'rel="self"' in said.headers["Link"]


class TestFeeds:
    async def test_only_what_is_new_goes_out(self, door: Door, site: Site) -> None:
        callback = site.callback("/callback")
        await door.served.hub.subscribe(door.topic, callback)
        await door.post(atom("one"), ATOM)
        await callback.wait_for(1)
        await door.post(atom("two", "one"), ATOM)
        first, second = await callback.wait_for(2)
        assert (entries_of(first.body), entries_of(second.body)) == (["one"], ["two"])
        assert (await door.get()).body == atom("two", "one")

    async def test_what_is_no_news_is_no_event(self, door: Door) -> None:
        await door.post(atom("one"), ATOM)
        again = atom("one", updated="2026-02-02T00:00:00Z")
        said = await door.post(again, ATOM)
        assert (said.status, "Webhook-Id" in said.headers) == (204, False)
        assert len(await events(door, after="earliest")) == 1
        assert (await door.get()).body == again

    async def test_many_new_entries_at_once_are_believed(self, door: Door) -> None:
        await door.post(atom(*(f"old{n}" for n in range(15))), ATOM)
        await door.post(atom(*(f"new{n}" for n in range(30))), ATOM)
        assert len((await events(door, after="earliest"))[1]["entries"]) == 30

    async def test_items_of_json_are_told_apart(self, door: Door) -> None:
        await door.post(json_feed("a=One"), JSON)
        await door.post(json_feed("b=Two", "a=One"), JSON)
        last = (await events(door, after="earliest"))[1]
        assert [entry["title"] for entry in last["entries"]] == ["Two"]

    @pytest.mark.slow
    async def test_none_is_lost_where_two_web_processes_are_sent_them_at_once(
        self, door: Door
    ) -> None:
        names = [f"entry{n}" for n in range(12)]
        posts = (
            door.post(atom(name), ATOM, web=web)
            for name, web in zip(names, itertools.cycle((0, 1)), strict=False)
        )
        answers = await asyncio.gather(*posts)
        assert [answer.status for answer in answers] == [202] * 12
        listed = await events(door, after="earliest")
        ids = [EventId.parse(event["id"]) for event in listed]
        assert ids == sorted(set(ids))
        told = [entry["title"] for event in listed for entry in event["entries"]]
        assert sorted(told) == sorted(names)
        assert door.served.hub.facts(door.topic)["documents"] == "12"


class TestSubscribers:
    async def test_may_come_before_anything_is_published(self, door: Door, site: Site) -> None:
        callback = site.callback("/callback")
        await door.served.hub.subscribe(door.topic, callback)
        await door.post(b"first")
        (delivery,) = await callback.wait_for(1)
        assert delivery.body == b"first"

    async def test_a_ping_fetches_nothing_and_sends_nothing(self, door: Door, site: Site) -> None:
        callback, hub = site.callback("/callback"), door.served.hub
        await hub.subscribe(door.topic, callback)
        await door.post(b"first")
        await callback.wait_for(1)
        before = hub.facts(door.topic)
        await hub.ping(door.topic)
        await hub.until_fetched(door.topic)
        after = hub.facts(door.topic)
        assert (after["head"], after["outcome"]) == (before["head"], "published here")
        # Nor does it try: hub.example is no host of this test's.
        assert "failures" not in after
        assert hub.due_in_s(door.topic, "pinged") is None

    async def test_who_was_down_gets_what_was_last_published(self, door: Door, site: Site) -> None:
        callback, hub = site.callback("/callback"), door.served.hub
        await hub.subscribe(door.topic, callback)
        await door.post(b"one")
        await callback.wait_for(1)
        del site.routes["/callback"]
        await door.post(b"two")
        await hub.until_failed(door.topic, callback, 1)
        site.routes["/callback"] = callback.answer
        await door.post(b"three")
        hub.move_clock(6)
        await hub.until_up_to_date(door.topic, callback)
        assert [heard.body for heard in callback.deliveries] == [b"one", b"three"]

    async def test_they_stay_when_the_topic_is_unsubscribed_by_others(
        self, door: Door, site: Site
    ) -> None:
        first, second = site.callback("/first"), site.callback("/second")
        hub = door.served.hub
        await hub.subscribe(door.topic, first)
        await hub.subscribe(door.topic, second)
        await hub.until_settled(await hub.request(Mode.UNSUBSCRIBE, door.topic, first))
        await door.post(b"open")
        await second.wait_for(1)
        assert first.deliveries == []


class TestWhoMayNot:
    @pytest.mark.parametrize(
        ("token", "sentence"),
        [
            (None, b"Send a token for publishing: `Authorization: Bearer TOKEN`.\n"),
            (TOKEN + "x", b"The token is not one of this hub's.\n"),
        ],
    )
    async def test_is_told_so_and_nothing_is_written(
        self, door: Door, token: str | None, sentence: bytes
    ) -> None:
        said = await door.post(b"open", token=token)
        assert (said.status, said.body) == (401, sentence)
        assert said.headers["WWW-Authenticate"] == "Bearer"
        assert (await door.get()).status == 404

    @pytest.mark.parametrize(
        ("body", "headers", "status"),
        [
            (b"", {}, 400),
            (b"x", {"path": "/t/.hidden"}, 400),
            (b"x", {"path": "/t/do%6fr"}, 400),
            (b"x", {"path": f"/t/{'x' * 101}"}, 400),
            (b"x", {"content_type": "text/plain;" + "x" * 300}, 400),
            (b"x" * (MAX + 1), {}, 413),
            (b"x", {"Content_Encoding": "gzip"}, 415),
            (b"x", {"path": "/t/a/b"}, 404),
        ],
        ids=[
            "nothing",
            "a dot file",
            "escaped",
            "too long a name",
            "too long a type",
            "too much",
            "packed",
            "a folder",
        ],
    )
    async def test_content_that_is_not_taken(
        self, door: Door, body: bytes, headers: dict[str, Any], status: int
    ) -> None:
        said = await door.post(body, **headers)
        assert said.status == status, said.body
        assert said.body.count(b"\n") == 1

    async def test_as_much_as_is_allowed_is_taken(self, door: Door) -> None:
        assert (await door.post(b"x" * MAX)).status == 202

    async def test_a_name_that_is_none_is_no_topic(self, door: Door) -> None:
        assert (await door.get(path="/t/.hidden")).status == 404


async def test_without_tokens_the_hub_takes_no_content(redis_url: str, key_prefix: str) -> None:
    async with open_served(redis_url, key_prefix, {}, 1) as served:
        said = await Door(served=served).post(b"open")
    assert said.status == 403
    assert b"WEBSUB_HUB_PUBLISH_TOKENS" in said.body


async def test_the_event_of_a_form_post_keeps_what_curl_says(door: Door) -> None:
    form = "application/x-www-form-urlencoded"
    await door.post(json.dumps({"door": "open"}).encode(), form)
    (event,) = await events(door, after="earliest")
    assert (event["content_type"], json.loads(event["body"])) == (form, {"door": "open"})


async def test_without_room_nothing_is_taken_and_the_sender_is_told_when_to_come_back(
    door: Door,
) -> None:
    async def check_room() -> None:
        raise StoreFull("no room")

    hub = door.served.hub
    pages = OwnTopicPages(
        hub.store.own_topics,
        Tokens.of(hub.settings.publish_tokens),
        hub_url=HUB,
        content_max_bytes=MAX,
        check_room=check_room,
    )
    app = create_app(hub.store, POLICY, FACE, pages)
    async with listening(app, host="127.0.0.1", port=0) as port:
        url, headers = f"http://127.0.0.1:{port}/t/door", {"Authorization": f"Bearer {TOKEN}"}
        async with door.served.session.post(url, data=b"open", headers=headers) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "60")
    assert (await door.get()).status == 404
