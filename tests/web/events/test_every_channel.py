"""One event, followed on every channel at once: the same id and the same content on each."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.web.events.conftest import StartServed
from tests.web.events.served import DEADLINE_S, LINES, SSE, Served
from tests.workers.feeds import ATOM, atom, entries_of
from tests.workers.sites import Heard, Site, Topic
from tests.workers.waiting import eventually

TOKEN = "a-token-for-publishing"
OWN = "http://hub.example/t/door"
ENTRY = "one=Sturm &amp; Drang &lt;script&gt; é"
# An SSE, a JSON lines and a WebSocket stream, and a long poll.
READERS = 4

Publish = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What each channel brought of one event.

    Attributes:
        delivery: to the callback.
        frames: the JSON of the event, by channel.
        raw: id, type and bytes of it in the topic's own format.
    """

    delivery: Heard
    frames: dict[str, dict[str, Any]]
    raw: tuple[str, str, bytes]

    def check(self) -> dict[str, Any]:
        """Returns the event, which is the same on all channels."""
        event = self.frames["sse"]
        assert self.frames == dict.fromkeys(self.frames, event)
        assert self.delivery.header("webhook-id") == event["id"]
        assert self.delivery.header("content-type") == event["content_type"]
        assert self.raw == (event["id"], event["content_type"], self.delivery.body)
        return event


async def everywhere(served: Served, site: Site, topic: Topic, publish: Publish) -> Received:
    """Follows a topic on all channels, publishes once, and returns what came."""
    callback = site.callback("/callback")
    await served.hub.subscribe(topic, callback)
    (cursor,) = {(await served.pull(topic, web=web))["next"] for web in (0, 1)}
    poll = asyncio.create_task(served.pull(topic, web=1, after=cursor, wait=20))
    async with (
        served.streaming(served.url(topic), Accept=SSE) as sse,
        served.streaming(served.url(topic, web=1), Accept=LINES) as lines,
        served.session.ws_connect(served.url(topic)) as socket,
        asyncio.timeout(DEADLINE_S),
    ):
        assert (await lines.line())["type"] == "start"
        assert (await socket.receive_json())["type"] == "start"
        await eventually(lambda: served.readers() == READERS, DEADLINE_S)
        await publish()
        frames = {
            "sse": await sse.event(),
            "lines": await lines.line(),
            "websocket": await socket.receive_json(),
        }
        (frames["long poll"],) = (await poll)["events"]
    (frames["pull"],) = (await served.pull(topic, after=cursor))["events"]
    (delivery,) = await callback.wait_for(1)
    media_type = frames["sse"]["content_type"].partition(";")[0]
    url = served.url(topic, after=cursor)
    async with served.session.get(url, headers={"Accept": media_type}) as response:
        raw = (
            response.headers["Webhook-Id"],
            response.headers["Content-Type"],
            await response.read(),
        )
    return Received(delivery=delivery, frames=frames, raw=raw)


@pytest.fixture
async def hub(start_served: StartServed) -> Served:
    return await start_served(webs=2, public_topics="all", publish_tokens=TOKEN)


def posting(hub: Served, body: bytes, content_type: str) -> Publish:
    """Returns what POSTs content to the hub's own topic."""

    async def publish() -> None:
        url = f"http://127.0.0.1:{hub.webs[0].port}/t/door"
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": content_type}
        async with hub.session.post(url, data=body, headers=headers) as response:
            assert response.status == 202

    return publish


def own_topic() -> Topic:
    return Topic(url=OWN, body=b"", content_type=None)


async def test_a_fetched_feed_is_the_same_on_every_channel(hub: Served, site: Site) -> None:
    topic = await hub.follow(site)
    received = await everywhere(
        hub, site, topic, lambda: hub.hub.publish(topic, atom(ENTRY, "zero"))
    )
    event = received.check()
    (entry,) = event["entries"]
    assert entries_of(received.delivery.body) == [ENTRY]
    assert entry["title"] == "Sturm & Drang <script> é"
    assert entry["source"].encode() in received.delivery.body


async def test_a_fetched_document_is_the_same_on_every_channel(hub: Served, site: Site) -> None:
    topic = site.topic("/status", b"up")
    await hub.know(topic)
    received = await everywhere(hub, site, topic, lambda: hub.hub.publish(topic, b"down"))
    assert (received.check()["body"], received.delivery.body) == ("down", b"down")


async def test_a_feed_of_the_hubs_own_is_the_same_on_every_channel(hub: Served, site: Site) -> None:
    received = await everywhere(hub, site, own_topic(), posting(hub, atom(ENTRY), ATOM))
    (entry,) = received.check()["entries"]
    assert entries_of(received.delivery.body) == [ENTRY]
    assert entry["source"].encode() in received.delivery.body


async def test_content_of_the_hubs_own_is_the_same_on_every_channel(
    hub: Served, site: Site
) -> None:
    body = json.dumps({"door": "open"}).encode()
    publish = posting(hub, body, "application/vnd.door+json")
    received = await everywhere(hub, site, own_topic(), publish)
    assert (received.check()["body"].encode(), received.delivery.body) == (body, body)
