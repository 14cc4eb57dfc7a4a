"""GET /events as JSON: what is after a cursor, at once or as soon as there is something."""

import asyncio
import base64
import json

from tests.web.events.conftest import StartServed
from tests.web.events.served import DEADLINE_S, Served
from tests.workers.feeds import atom
from tests.workers.sites import Site, Topic
from tests.workers.waiting import eventually


async def publish_all(served: Served, topic: Topic, *names: str) -> None:
    for name in names:
        await served.hub.publish_event(topic, atom(name))


class TestPull:
    async def test_each_change_is_an_event_with_its_entries(
        self, served: Served, site: Site
    ) -> None:
        topic = await served.follow(site)
        begun = await served.pull(topic)
        await served.hub.publish_event(topic, atom("one"))
        await served.hub.publish_event(topic, atom("two=Second", "one"))
        answer = await served.pull(topic, after=begun["next"])
        first, second = answer["events"]
        assert [entry["title"] for entry in first["entries"]] == ["one"]
        assert second == {
            "type": "event",
            "id": served.hub.facts(topic)["head"],
            "topic": topic.url,
            "time": second["time"],
            "content_type": topic.content_type,
            "entries": [
                {
                    "id": "urn:e:two",
                    "title": "Second",
                    "link": None,
                    "published": None,
                    "updated": "2026-01-01T00:00:00Z",
                    "summary": None,
                    "source": "<entry><id>urn:e:two</id><title>Second</title>"
                    "<updated>2026-01-01T00:00:00Z</updated></entry>",
                }
            ],
        }
        assert answer["more"] is False
        assert (await served.pull(topic, after=answer["next"]))["events"] == []

    async def test_without_a_cursor_it_begins_now_and_gives_one(
        self, served: Served, site: Site
    ) -> None:
        topic = await served.follow(site)
        await publish_all(served, topic, "one")
        answer = await served.pull(topic)
        assert (answer["events"], answer["more"]) == ([], False)
        await publish_all(served, topic, "two")
        (event,) = (await served.pull(topic, after=answer["next"]))["events"]
        assert event["entries"][0]["title"] == "two"

    async def test_since_goes_back_by_the_clock_of_the_ids(
        self, served: Served, site: Site
    ) -> None:
        topic = await served.follow(site)
        await publish_all(served, topic, "one")
        served.hub.move_clock(3_600)
        await publish_all(served, topic, "two")
        served.hub.move_clock(60)
        assert len((await served.pull(topic, since="10m"))["events"]) == 1
        answer = await served.pull(topic, since="59m")
        assert [event["entries"][0]["title"] for event in answer["events"]] == ["two"]
        assert (await served.pull(topic, since="30s"))["events"] == []

    async def test_pages_of_a_limit_hold_each_event_once_and_in_order(
        self, served: Served, site: Site
    ) -> None:
        topics = [await served.follow(site, path) for path in ("/a", "/b", "/c")]
        # The first has most of its events before the others begin.
        for turn in (0, 0, 0, 0, 1, 2, 0, 1, 2):
            await served.hub.publish_event(topics[turn], atom(f"e{len(topics[turn].fetches)}"))
        everything = (await served.pull(*topics, after="earliest"))["events"]
        assert len(everything) == 9
        for limit in (1, 2, 4, 6):
            cursor, seen, is_more = "earliest", [], True
            while is_more:
                answer = await served.pull(*topics, after=cursor, limit=limit)
                assert len(answer["events"]) <= limit
                cursor, is_more = answer["next"], answer["more"]
                seen += answer["events"]
            assert seen == everything

    async def test_the_id_of_a_merged_delivery_is_a_cursor(
        self, served: Served, site: Site
    ) -> None:
        topic = await served.follow(site)
        await publish_all(served, topic, "one", "two", "three")
        first, second, third = (await served.pull(topic, after="earliest"))["events"]
        answer = await served.pull(topic, after=f"{first['id']}..{second['id']}")
        assert answer["events"] == [third]


class TestWhatIsNoFeed:
    async def test_it_comes_with_its_body_while_that_is_the_newest(
        self, served: Served, site: Site
    ) -> None:
        topic = site.topic("/status", b"up", content_type="text/plain; charset=utf-8")
        await served.know(topic)
        await served.hub.publish_event(topic, "bald 5 € — läuft".encode())
        (newest,) = (await served.pull(topic, after="earliest"))["events"]
        assert newest["body"] == "bald 5 € — läuft"
        await served.hub.publish_event(topic, b"later")
        older, newest = (await served.pull(topic, after="earliest"))["events"]
        assert set(older) == {"type", "id", "topic", "time", "content_type"}
        assert newest["body"] == "later"

    async def test_what_is_no_text_comes_as_base64(self, served: Served, site: Site) -> None:
        topic = site.topic("/image", b"\x89PNG\x00", content_type="image/png")
        await served.know(topic)
        await served.hub.publish_event(topic, b"\x89PNG\x00\xff")
        (event,) = (await served.pull(topic, after="earliest"))["events"]
        assert base64.b64decode(event["body_base64"]) == b"\x89PNG\x00\xff"
        assert "body" not in event

    async def test_a_body_that_is_too_large_is_left_out_and_said_to_be(
        self, start_served: StartServed, site: Site
    ) -> None:
        served = await start_served(public_topics="all", event_max_bytes=4_096)
        topic = site.topic("/status", b"up")
        await served.know(topic)
        await served.hub.publish_event(topic, b"x" * 5_000)
        (event,) = (await served.pull(topic, after="earliest"))["events"]
        assert event["truncated"] is True
        assert "body" not in event


class TestWhatIsGone:
    async def test_a_mark_stands_where_events_were_trimmed(
        self, start_served: StartServed, site: Site
    ) -> None:
        served = await start_served({"history_events": 2}, public_topics="all")
        topic, other = await served.follow(site), await served.follow(site, "/other")
        cursor = (await served.pull(topic))["next"]
        await publish_all(served, topic, "one", "two")
        await publish_all(served, other, "between")
        await publish_all(served, topic, "three", "four", "five")
        events = (await served.pull(topic, other, after=cursor))["events"]
        trimmed_to = served.hub.facts(topic)["trimmed_to"]
        assert [event["type"] for event in events] == ["event", "reset", "event", "event"]
        mark = events[1]
        assert (mark["id"], mark["topic"]) == (trimmed_to, topic.url)
        # Who comes back with the mark's id goes on behind it.
        again = (await served.pull(topic, other, after=trimmed_to))["events"]
        assert again == events[2:]

    async def test_who_asks_for_the_earliest_has_missed_nothing(
        self, start_served: StartServed, site: Site
    ) -> None:
        served = await start_served({"history_events": 2}, public_topics="all")
        topics = [await served.follow(site, path) for path in ("/a", "/b")]
        for topic in topics:
            await publish_all(served, topic, "one", "two", "three", "four")
        events = (await served.pull(*topics, after="earliest"))["events"]
        assert [event["type"] for event in events] == ["event"] * 4

    async def test_a_topic_that_was_forgotten_in_between_has_a_gap(
        self, served: Served, site: Site
    ) -> None:
        topic = await served.follow(site)
        cursor = (await served.pull(topic))["next"]
        served.hub.move_clock(8 * 86_400)
        async for _ in served.hub.store.repair.run(pause_s=0):
            pass
        assert served.hub.facts(topic) == {}
        await served.know(topic)
        (mark,) = (await served.pull(topic, after=cursor))["events"]
        assert mark["type"] == "reset"

    async def test_a_cursor_that_the_hub_has_not_come_to_is_of_records_it_has_lost(
        self, served: Served, site: Site
    ) -> None:
        topic = await served.follow(site)
        here = (await served.pull(topic))["next"]
        answer = await served.pull(topic, after="900000000000000-0")
        assert [event["type"] for event in answer["events"]] == ["reset"]
        assert answer["next"] == here


class TestLongPoll:
    async def test_it_answers_at_once_where_there_is_something(
        self, served: Served, site: Site
    ) -> None:
        topic = await served.follow(site)
        await publish_all(served, topic, "one")
        async with asyncio.timeout(DEADLINE_S):
            answer = await served.pull(topic, after="earliest", wait=55)
        assert len(answer["events"]) == 1

    async def test_it_answers_as_soon_as_there_is_something(
        self, served: Served, site: Site
    ) -> None:
        topic = await served.follow(site)
        poll = asyncio.create_task(served.pull(topic, wait=55))
        await eventually(lambda: served.readers() == 1, DEADLINE_S)
        await served.hub.publish(topic, atom("one"))
        async with asyncio.timeout(DEADLINE_S):
            answer = await poll
        (event,) = answer["events"]
        assert event["entries"][0]["title"] == "one"
        assert answer["next"] == event["id"]
        assert not served.readers()

    async def test_it_answers_with_a_cursor_where_nothing_came(
        self, served: Served, site: Site
    ) -> None:
        topic = await served.follow(site)
        answer = await served.pull(topic, wait=1)
        assert answer["events"] == []
        await publish_all(served, topic, "one")
        assert len((await served.pull(topic, after=answer["next"]))["events"]) == 1

    async def test_a_poller_that_leaves_is_forgotten_at_once(
        self, served: Served, site: Site
    ) -> None:
        topic = await served.follow(site)
        poll = asyncio.create_task(served.pull(topic, wait=55))
        await eventually(lambda: served.readers() == 1, DEADLINE_S)
        poll.cancel()
        await eventually(lambda: not served.readers(), DEADLINE_S)

    async def test_pollers_that_come_back_lose_nothing_and_see_nothing_twice(
        self, start_served: StartServed, site: Site
    ) -> None:
        served = await start_served(public_topics="all", webs=2, fetch_burst=1_000)
        topic = await served.follow(site)
        cursor, last = (await served.pull(topic))["next"], 25

        async def poll(number: int) -> list[str]:
            seen: list[str] = []
            after, turn = cursor, number
            while f"urn:e:{last}" not in seen:
                answer = await served.pull(topic, web=turn % 2, after=after, wait=30)
                seen += [event["entries"][0]["id"] for event in answer["events"]]
                after, turn = answer["next"], turn + 1
            return seen

        async with asyncio.timeout(40), asyncio.TaskGroup() as group:
            polls = [group.create_task(poll(number)) for number in range(20)]
            for number in range(1, last + 1):
                await publish_all(served, topic, str(number))
        expected = [f"urn:e:{number}" for number in range(1, last + 1)]
        assert [poll.result() for poll in polls] == [expected] * 20


class TestJsonFeed:
    async def test_its_new_items_are_entries(self, served: Served, site: Site) -> None:
        topic = site.topic("/feed.json", json_feed("zero"), content_type="application/feed+json")
        await served.know(topic)
        await served.hub.publish_event(topic, json_feed("one", "zero"))
        (event,) = (await served.pull(topic, after="earliest"))["events"]
        assert [entry["title"] for entry in event["entries"]] == ["one"]
        assert json.loads(event["entries"][0]["source"])["id"] == "one"


def json_feed(*names: str) -> bytes:
    items = [{"id": name, "title": name, "content_text": name} for name in names]
    version = "https://jsonfeed.org/version/1.1"
    return json.dumps({"version": version, "title": "A feed", "items": items}).encode()
