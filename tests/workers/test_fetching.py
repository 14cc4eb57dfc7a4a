"""From a ping to an event: when topics are fetched, and what is delivered of them (design 6)."""

import pytest

from hub.protocol.requests import Content
from hub.protocol.urls import topic_id
from tests.workers.conftest import StartHub
from tests.workers.feeds import ATOM, JSON, atom, entries_of, json_feed
from tests.workers.hub_in_process import Hub
from tests.workers.sites import Callback, Reply, Site, Topic
from tests.workers.waiting import eventually

PAGE = b"<html><body>Down for maintenance</body></html>"


async def followed(
    hub: Hub, site: Site, body: bytes, content_type: str = "text/plain"
) -> tuple[Topic, Callback]:
    topic, callback = site.topic("/t", body, content_type), site.callback("/c")
    await hub.subscribe(topic, callback)
    return topic, callback


class TestDelivered:
    async def test_new_and_changed_entries_in_the_envelope_as_published(
        self, hub: Hub, site: Site
    ) -> None:
        topic, callback = await followed(hub, site, atom("b", "a"), ATOM)
        await hub.publish(topic, atom("c", "b=B", "a", updated="2026-09-09T00:00:00Z"))
        (delivery,) = await callback.wait_for(1)
        assert delivery.body == atom("c", "b=B", updated="2026-09-09T00:00:00Z")

    async def test_each_delivery_says_all_that_it_must(self, hub: Hub, site: Site) -> None:
        kind = 'application/atom+xml;charset="UTF-8"; x=y'
        topic, callback = await followed(hub, site, atom("a"), kind)
        await hub.subscribe(topic, callback, secret=b"s")
        await hub.publish(topic, atom("b", "a"))
        (delivery,) = await callback.wait_for(1)
        assert delivery.method == "POST"
        assert delivery.target == "/c"
        assert delivery.header("content-type") == kind
        assert delivery.header("link") == (
            f'<http://hub.example/>; rel="hub", <{topic.url}>; rel="self"'
        )
        assert delivery.header("content-length") == str(len(delivery.body))
        assert delivery.header("webhook-id") == hub.facts(topic)["head"]
        assert delivery.header("user-agent") == hub.settings.user_agent
        assert (delivery.header("x-hub-signature") or "").startswith("sha256=")
        assert delivery.header("x-hub-signature-256") == delivery.header("x-hub-signature")
        for never in ("transfer-encoding", "expect", "content-encoding"):
            assert delivery.header(never) is None

    async def test_the_callback_is_reached_byte_for_byte(self, hub: Hub, site: Site) -> None:
        target = "/p/%7Ex/a%2Fb//c?foo=bar&a=%2F&b=c+d&e&f="
        path, _, query = target.partition("?")
        topic, callback = site.topic("/t", b"1"), site.callback(path, f"?{query}")
        await hub.subscribe(topic, callback)
        await hub.publish(topic, b"2")
        assert (await callback.wait_for(1))[0].target == target

    @pytest.mark.parametrize("is_header", [True, False], ids=["by header", "within the feed"])
    async def test_the_links_are_those_that_the_topic_names(
        self, hub: Hub, site: Site, is_header: bool
    ) -> None:
        topic, callback = await followed(hub, site, atom("a"), ATOM)
        head = ""
        if is_header:
            topic.fields = (("Link", '<http://h1/>; rel="hub", <http://h2/>; rel="hub"'),)
            topic.fields += (("Link", '</canonical>; rel="self"'),)
        else:
            head = '<link rel="hub" href="http://h1/"/><link rel="hub" href="http://h2/"/>'
            head += '<link rel="self" href="/canonical"/>'
        await hub.publish(topic, atom("b", "a", head=head))
        (delivery,) = await callback.wait_for(1)
        assert delivery.header("link") == (
            f'<http://h1/>; rel="hub", <http://h2/>; rel="hub", <{site.url}/canonical>; rel="self"'
        )

    @pytest.mark.parametrize("size", [1, 300_000])
    async def test_what_is_no_feed_goes_out_whole_when_it_changes(
        self, hub: Hub, site: Site, size: int
    ) -> None:
        topic, callback = await followed(hub, site, b"\x00first", "image/png")
        await hub.publish(topic, b"\xff" * size)
        (delivery,) = await callback.wait_for(1)
        assert delivery.body == b"\xff" * size
        assert delivery.header("content-type") == "image/png"

    async def test_a_large_feed_is_cut_like_a_small_one(self, hub: Hub, site: Site) -> None:
        old = [f"entry{number}" for number in range(1500)]
        topic, callback = await followed(hub, site, atom(*old), ATOM)
        assert len(topic.body) > 2 * 64 * 1024
        await hub.publish(topic, atom("new", *old))
        assert (await callback.wait_for(1))[0].body == atom("new")

    async def test_a_topic_without_a_type_is_delivered_as_octets(
        self, hub: Hub, site: Site
    ) -> None:
        topic, callback = await followed(hub, site, b"1")
        topic.content_type = None
        await hub.publish(topic, b"2")
        (delivery,) = await callback.wait_for(1)
        assert delivery.header("content-type") == "application/octet-stream"

    async def test_who_asks_for_it_gets_the_whole_feed(self, hub: Hub, site: Site) -> None:
        topic, entries = await followed(hub, site, atom("a"), ATOM)
        full = site.callback("/full")
        await hub.subscribe(topic, full, content=Content.FULL)
        await hub.publish(topic, atom("b", "a"))
        assert (await full.wait_for(1))[0].body == atom("b", "a")
        assert (await entries.wait_for(1))[0].body == atom("b")
        assert full.deliveries[0].header("webhook-id") == hub.facts(topic)["head"]

    @pytest.mark.parametrize(
        ("content", "body"),
        [
            (None, json_feed("c", "b=B", "a", title="new")),
            (Content.FULL, json_feed("c", "b=B", "a", title="new")),
            (Content.ENTRIES, json_feed("c", "b=B", title="new")),
        ],
        ids=["unasked", "full", "entries"],
    )
    async def test_a_json_feed_goes_out_whole_but_to_who_asks_for_its_new_items(
        self, hub: Hub, site: Site, content: Content | None, body: bytes
    ) -> None:
        topic, callback = site.topic("/t", json_feed("b", "a"), JSON), site.callback("/c")
        await hub.subscribe(topic, callback, content=content)
        await hub.publish(topic, json_feed("c", "b=B", "a", title="new"))
        (delivery,) = await callback.wait_for(1)
        assert delivery.body == body
        assert delivery.header("content-type") == JSON
        assert delivery.header("webhook-id") == hub.facts(topic)["head"]

    async def test_a_first_document_is_an_event_for_who_is_confirmed_already(
        self, hub: Hub, site: Site
    ) -> None:
        topic, callback = site.topic("/t", atom("b", "a"), ATOM), site.callback("/c")
        topic.reply = Reply(status=503)
        await hub.subscribe(topic, callback)
        topic.reply = None
        await hub.ping(topic)
        assert (await callback.wait_for(1))[0].body == atom("b", "a")


class TestNoNews:
    async def test_nothing_is_delivered_for_what_a_reader_would_not_see(
        self, hub: Hub, site: Site
    ) -> None:
        topic, callback = await followed(hub, site, atom("b", "a"), ATOM)
        for silent in (
            atom("b", "a", updated="2026-02-02T00:00:00Z"),
            atom("b", "a").replace(b"<updated>2026-01-01", b"<updated>2026-05-05"),
            atom("b", "a").replace(b"><title>", b">\n\t <title>"),
            atom("a"),
        ):
            fetches = len(topic.fetches)
            await hub.publish(topic, silent)
            await topic.wait_for(fetches + 1)
            await hub.until_fetched(topic)
        await hub.publish(topic, atom("c", "a"))
        await callback.wait_for(1)
        assert [entries_of(d.body) for d in callback.deliveries] == [["c"]]

    async def test_a_known_document_is_asked_for_conditionally(self, hub: Hub, site: Site) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        topic.etag, topic.last_modified = '"v1"', "Mon, 05 Jan 2026 10:00:00 GMT"
        await hub.subscribe(topic, callback)
        await hub.ping(topic)
        await topic.wait_for(2)
        await hub.until_fetched(topic)
        assert topic.fetches[0].header("if-none-match") is None
        assert topic.fetches[1].header("if-none-match") == '"v1"'
        assert topic.fetches[1].header("if-modified-since") == "Mon, 05 Jan 2026 10:00:00 GMT"
        assert hub.facts(topic)["outcome"] == "unchanged"
        topic.etag, topic.last_modified = '"v2"', "Mon, 05 Jan 2026 11:00:00 GMT"
        await hub.publish(topic, b"2")
        await callback.wait_for(1)
        assert len(callback.deliveries) == 1

    async def test_a_second_change_within_the_second_of_the_first_is_seen(
        self, hub: Hub, site: Site
    ) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        moment = "Mon, 05 Jan 2026 10:00:00 GMT"
        topic.last_modified, topic.fields = moment, (("Date", moment),)
        await hub.subscribe(topic, callback)
        await hub.publish(topic, b"2")
        assert (await callback.wait_for(1))[0].body == b"2"
        assert topic.fetches[1].header("if-modified-since") is None

    async def test_a_ping_without_news_is_followed_by_two_more_looks(
        self, hub: Hub, site: Site
    ) -> None:
        topic, callback = await followed(hub, site, b"1")
        await hub.ping(topic)
        await topic.wait_for(2)
        for count, delay_s in ((3, 10), (4, 60)):
            await hub.until_fetched(topic)
            due_s = hub.due_in_s(topic, "pinged")
            assert due_s is not None
            assert delay_s - 1 < due_s <= delay_s
            hub.move_clock(delay_s)
            if count == 4:
                topic.body = b"2"
            await topic.wait_for(count)
        await callback.wait_for(1)
        await hub.until_fetched(topic)
        assert hub.due_in_s(topic, "pinged") is None


class TestFailing:
    @pytest.mark.parametrize(
        ("reply", "outcome"),
        [
            (Reply(status=404), "status 404"),
            (Reply(status=500, body=b"2"), "status 500"),
            (Reply(status=200), "empty body"),
            (Reply(status=204), "status 204"),
            (Reply(body=b"x" * 5000), "longer than"),
            (Reply(end="hang"), ""),
            (Reply(end="reset"), ""),
        ],
        ids=["404", "500", "empty", "204", "too long", "time-out", "reset"],
    )
    async def test_nothing_is_delivered_and_the_topic_is_tried_again(
        self, start_hub: StartHub, site: Site, reply: Reply, outcome: str
    ) -> None:
        hub = await start_hub(topic_max_bytes=4096, request_deadline_s=0.6, connect_timeout_s=0.5)
        topic, callback = await followed(hub, site, b"1")
        topic.reply = reply
        await hub.ping(topic)
        await eventually(lambda: hub.facts(topic).get("failures") == "1", 3)
        assert outcome in hub.facts(topic)["outcome"]
        due_s = hub.due_in_s(topic, "pinged")
        assert due_s is not None
        assert 8 < due_s <= 10
        topic.reply, topic.body = None, b"2"
        hub.move_clock(10)
        await callback.wait_for(1)
        assert [delivery.body for delivery in callback.deliveries] == [b"2"]
        assert "failures" not in hub.facts(topic)

    async def test_a_feed_that_turns_into_a_page_is_not_delivered(
        self, hub: Hub, site: Site
    ) -> None:
        topic, callback = await followed(hub, site, atom("a"), ATOM)
        await hub.publish(topic, PAGE)
        await eventually(lambda: hub.facts(topic).get("failures") == "1", 3)
        assert hub.facts(topic)["outcome"].startswith("was a feed, now is not")
        await hub.publish(topic, atom("b", "a"))
        await callback.wait_for(1)
        assert [delivery.body for delivery in callback.deliveries] == [atom("b")]

    @pytest.mark.parametrize("size", [3, 1500])
    async def test_a_feed_that_is_emptied_and_well_again_brings_just_what_is_new(
        self, hub: Hub, site: Site, size: int
    ) -> None:
        old = [f"old{number}" for number in range(size)]
        topic, callback = await followed(hub, site, atom(*old), ATOM)
        await hub.publish(topic, atom())
        await eventually(lambda: hub.facts(topic).get("failures") == "1", 3)
        assert hub.facts(topic)["outcome"] == f"had {size} entries, now has none"
        for delay_s in (10, 60, 300, 1800, 3600):
            fetches = len(topic.fetches)
            await hub.until_fetched(topic)
            hub.move_clock(delay_s)
            await topic.wait_for(fetches + 1)
        await eventually(lambda: "failures" not in hub.facts(topic), 3)
        assert hub.facts(topic)["outcome"] == "read, though without entries"
        await hub.publish(topic, atom("new", *old))
        await callback.wait_for(1)
        assert [delivery.body for delivery in callback.deliveries] == [atom("new")]

    async def test_an_empty_answer_keeps_the_last_document(self, hub: Hub, site: Site) -> None:
        topic, callback = await followed(hub, site, atom("a"), ATOM)
        topic.reply = Reply(status=200)
        await hub.ping(topic)
        await eventually(lambda: hub.facts(topic).get("outcome") == "empty body", 3)
        assert hub.redis.get(hub.key(f"body:{topic_id(topic.url)}")) == atom("a")
        topic.reply = None
        await hub.publish(topic, atom("b", "a"))
        await callback.wait_for(1)
        assert [delivery.body for delivery in callback.deliveries] == [atom("b")]

    async def test_quick_pings_do_not_make_a_page_of_a_feed_but_the_retry_does_in_time(
        self, hub: Hub, site: Site
    ) -> None:
        topic, callback = await followed(hub, site, atom("a"), ATOM)
        for count in range(1, 8):
            await hub.publish(topic, PAGE)
            await eventually(lambda n=count: hub.facts(topic).get("mishaps") == str(n), 3)  # type: ignore[misc]
        assert callback.deliveries == []
        hub.move_clock(3600)
        (delivery,) = await callback.wait_for(1)
        assert delivery.body == PAGE
        await hub.until_fetched(topic)
        assert hub.facts(topic)["mishaps"] == "0"

    async def test_a_feed_that_is_well_again_after_mishaps_brings_just_what_is_new(
        self, hub: Hub, site: Site
    ) -> None:
        topic, callback = await followed(hub, site, atom("a"), ATOM)
        for count, body in enumerate((PAGE, atom(), b"<rss>", b"<?xml version='1.0'?>"), 1):
            await hub.publish(topic, body)
            await eventually(lambda n=count: hub.facts(topic).get("mishaps") == str(n), 3)  # type: ignore[misc]
        await hub.publish(topic, atom("b", "a"))
        await callback.wait_for(1)
        assert [delivery.body for delivery in callback.deliveries] == [atom("b")]
        assert hub.facts(topic)["mishaps"] == "0"


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_a_fetch_follows_them(self, hub: Hub, site: Site, status: int) -> None:
        topic, callback = await followed(hub, site, b"1")
        target = site.topic("/elsewhere", b"2")
        topic.reply = Reply(status=status, fields=(("Location", "/elsewhere"),))
        await hub.ping(topic)
        (delivery,) = await callback.wait_for(1)
        assert delivery.body == b"2"
        assert len(target.fetches) == 1
        assert f'<{topic.url}>; rel="self"' in (delivery.header("link") or "")

    async def test_a_loop_of_redirects_ends(self, hub: Hub, site: Site) -> None:
        topic, _ = await followed(hub, site, b"1")
        topic.reply = Reply(status=302, fields=(("Location", "/t"),))
        await hub.ping(topic)
        await eventually(lambda: hub.facts(topic).get("failures") == "1", 3)
        assert len(topic.fetches) == 1 + 1 + hub.settings.redirects_max

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_a_callbacks_redirect_is_a_failure(
        self, hub: Hub, site: Site, status: int
    ) -> None:
        topic, callback = await followed(hub, site, b"1")
        elsewhere = site.callback("/elsewhere")
        callback.replies.append(Reply(status=status, fields=(("Location", "/elsewhere"),)))
        await hub.publish(topic, b"2")
        await hub.until_failed(topic, callback, 1)
        assert elsewhere.deliveries == []
