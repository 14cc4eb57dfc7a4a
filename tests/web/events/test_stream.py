"""Server-sent events and JSON lines: what comes, and how a reader comes back."""

import asyncio
import contextlib
import socket
from urllib.parse import urlsplit

from tests.web.events.conftest import StartServed
from tests.web.events.served import DEADLINE_S, LINES, SSE, Served
from tests.workers.feeds import atom
from tests.workers.sites import Site
from tests.workers.waiting import eventually


def titles(event: dict[str, object]) -> list[object]:
    entries = event["entries"]
    assert isinstance(entries, list)
    return [entry["title"] for entry in entries]


class TestServerSentEvents:
    async def test_the_answer_keeps_proxies_from_holding_it_back(
        self, served: Served, site: Site
    ) -> None:
        topic = await served.follow(site)
        async with served.streaming(served.url(topic), Accept=SSE) as stream:
            headers = stream.response.headers
        assert headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert headers["Cache-Control"] == "no-store, no-transform"
        assert headers["X-Accel-Buffering"] == "no"
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert "Content-Encoding" not in headers

    async def test_it_begins_with_a_cursor_and_a_time_to_come_back_after(
        self, served: Served, site: Site
    ) -> None:
        topic = await served.follow(site)
        here = (await served.pull(topic))["next"]
        async with served.streaming(served.url(topic), Accept=SSE) as stream:
            block = await stream.block()
        assert block["id"] == here
        assert 2_000 <= int(block["retry"]) <= 6_000
        assert set(block) == {"id", "retry"}

    async def test_each_event_comes_as_it_is_appended(self, served: Served, site: Site) -> None:
        topic = await served.follow(site)
        async with served.streaming(served.url(topic), Accept=SSE) as stream:
            await stream.block()
            await served.hub.publish(topic, atom("one"))
            first = await stream.event()
            await served.hub.publish(topic, atom("two", "one"))
            second = await stream.event()
        assert (titles(first), titles(second)) == (["one"], ["two"])
        assert (await served.pull(topic, after="earliest"))["events"] == [first, second]

    async def test_who_comes_back_gets_what_it_missed_and_goes_on_live(
        self, served: Served, site: Site
    ) -> None:
        topic = await served.follow(site)
        for name in ("one", "two", "three"):
            await served.hub.publish_event(topic, atom(name))
        kept = (await served.pull(topic, after="earliest"))["events"]
        url = served.url(topic, after="earliest")
        async with served.streaming(url, Accept=SSE, Last_Event_ID=kept[0]["id"]) as stream:
            assert [await stream.event(), await stream.event()] == kept[1:]
            await served.hub.publish(topic, atom("four"))
            assert titles(await stream.event()) == ["four"]

    async def test_a_silent_stream_says_that_it_lives(
        self, start_served: StartServed, site: Site
    ) -> None:
        served = await start_served(public_topics="all", heartbeat_s=0.05)
        topic = await served.follow(site)
        async with served.streaming(served.url(topic), Accept=SSE) as stream:
            await stream.block()
            assert await stream.block() == {"": ""}
            assert await stream.block() == {"": ""}

    async def test_where_history_is_gone_the_stream_says_so_and_goes_on(
        self, start_served: StartServed, site: Site
    ) -> None:
        served = await start_served({"history_events": 2}, public_topics="all")
        topic = await served.follow(site)
        cursor = (await served.pull(topic))["next"]
        for name in ("one", "two", "three", "four"):
            await served.hub.publish_event(topic, atom(name))
        async with served.streaming(served.url(topic, after=cursor), Accept=SSE) as stream:
            await stream.block()
            mark = await stream.block()
            rest = [await stream.event(), await stream.event()]
        assert mark["event"] == "reset"
        assert mark["id"] == served.hub.facts(topic)["trimmed_to"]
        assert [titles(event) for event in rest] == [["three"], ["four"]]


class TestLines:
    async def test_the_same_events_come_one_a_line_behind_the_place_to_come_back_to(
        self, served: Served, site: Site
    ) -> None:
        topic = await served.follow(site)
        here = (await served.pull(topic))["next"]
        async with served.streaming(served.url(topic), Accept=LINES) as stream:
            assert await stream.line() == {"type": "start", "id": here}
            await served.hub.publish(topic, atom("one"))
            event = await stream.line()
        assert (await served.pull(topic, after=here))["events"] == [event]


class TestManyReaders:
    async def test_an_event_reaches_the_readers_of_all_web_processes(
        self, start_served: StartServed, site: Site
    ) -> None:
        served = await start_served(public_topics="all", webs=2)
        topic = await served.follow(site)
        async with contextlib.AsyncExitStack() as stack:
            streams = []
            for number in range(12):
                url = served.url(topic, web=number % 2)
                streams.append(await stack.enter_async_context(served.streaming(url, Accept=SSE)))
            for stream in streams:
                await stream.block()
            await served.hub.publish(topic, atom("one"))
            events = [await stream.event() for stream in streams]
        assert all(event == events[0] for event in events)

    async def test_several_topics_come_in_the_order_of_their_ids(
        self, served: Served, site: Site
    ) -> None:
        topics = [await served.follow(site, f"/{number}") for number in range(3)]
        async with served.streaming(served.url(*topics), Accept=SSE) as stream:
            await stream.block()
            for round_ in range(4):
                for topic in topics:
                    topic.body = atom(f"e{round_}")
                await served.hub.ping(*topics)
                await asyncio.gather(*map(served.hub.until_fetched, topics))
            live = [await stream.event() for _ in range(12)]
        assert live == (await served.pull(*topics, after="earliest"))["events"]
        assert [event["id"] for event in live] == sorted(event["id"] for event in live)


class TestWhoLeaves:
    async def test_a_reader_that_takes_nothing_is_cut_off_and_resumes_without_a_gap(
        self, start_served: StartServed, site: Site
    ) -> None:
        served = await start_served(public_topics="all", fetch_burst=1_000)
        topic = await served.follow(site)
        cursor = (await served.pull(topic))["next"]
        deaf = await _deaf_reader(served.url(topic))
        await eventually(lambda: served.readers() == 1, DEADLINE_S)
        published = 0
        while served.readers() and published < 60:
            published += 1
            await served.hub.publish_event(topic, atom(f"{published}={'x' * 200_000}"))
            # Those who read have it by then; this one is cut off or not.
            await served.pull(topic, after=cursor, limit=1)
        assert not served.readers()
        deaf.close()
        seen: list[str] = []
        while len(seen) < published:
            answer = await served.pull(topic, after=cursor)
            seen += [event["entries"][0]["id"] for event in answer["events"]]
            cursor = answer["next"]
        assert seen == [f"urn:e:{number}" for number in range(1, published + 1)]

    async def test_a_reader_that_leaves_is_forgotten_at_once(
        self, served: Served, site: Site
    ) -> None:
        topic = await served.follow(site)
        async with served.streaming(served.url(topic), Accept=SSE) as stream:
            await stream.block()
            assert served.readers() == 1
        await eventually(lambda: not served.readers(), DEADLINE_S)

    async def test_a_stream_ends_when_the_web_process_stops(
        self, served: Served, site: Site
    ) -> None:
        topic = await served.follow(site)
        async with served.streaming(served.url(topic), Accept=SSE) as stream:
            await stream.block()
            await served.webs[0].stop()
            assert await stream.ended() == b""


class TestRedisIsAway:
    async def test_what_is_appended_while_the_wake_up_is_cut_off_comes_all_the_same(
        self, served: Served, site: Site
    ) -> None:
        topic = await served.follow(site)
        async with served.streaming(served.url(topic), Accept=SSE) as stream:
            await stream.block()
            served.hub.redis.client_kill_filter(_type="pubsub")
            await served.hub.publish_event(topic, atom("one"))
            await served.hub.publish_event(topic, atom("two"))
            assert titles(await stream.event()) == ["one"]
            assert titles(await stream.event()) == ["two"]


async def _deaf_reader(url: str) -> socket.socket:
    """Returns a client that asks and never reads."""
    parts = urlsplit(url)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, (parts.hostname, parts.port))
    head = f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: hub\r\nAccept: {SSE}\r\n\r\n"
    await loop.sock_sendall(client, head.encode())
    return client
