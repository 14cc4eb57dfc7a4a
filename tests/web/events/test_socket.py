"""The same frames by WebSocket."""

import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType

from tests.web.events.conftest import StartServed
from tests.web.events.served import DEADLINE_S, Served
from tests.workers.feeds import atom
from tests.workers.sites import Site
from tests.workers.waiting import eventually

TOKEN = "a-token-of-the-hubs-own"


async def frame(socket: aiohttp.ClientWebSocketResponse) -> Any:  # noqa: ANN401 - JSON
    async with asyncio.timeout(DEADLINE_S):
        return await socket.receive_json()


async def test_events_come_as_the_same_json_as_on_pull(served: Served, site: Site) -> None:
    topic = await served.follow(site)
    await served.hub.publish_event(topic, atom("one"))
    async with served.session.ws_connect(served.url(topic, after="earliest")) as socket:
        start, old = await frame(socket), await frame(socket)
        await served.hub.publish(topic, atom("two"))
        live = await frame(socket)
    assert start["type"] == "start"
    assert (await served.pull(topic, after=start["id"]))["events"] == [old, live]


@pytest.mark.parametrize("size", [50, 200, 70_000])
async def test_frames_of_each_length_are_read(served: Served, site: Site, size: int) -> None:
    topic = site.topic("/status", b"up")
    await served.know(topic)
    async with served.session.ws_connect(served.url(topic)) as socket:
        await frame(socket)
        await served.hub.publish(topic, b"x" * size)
        assert len((await frame(socket))["body"]) == size


async def test_the_hub_asks_whether_the_reader_lives(start_served: StartServed, site: Site) -> None:
    served = await start_served(public_topics="all", heartbeat_s=0.1)
    topic = await served.follow(site)
    async with served.session.ws_connect(served.url(topic), autoping=False) as socket:
        await frame(socket)
        async with asyncio.timeout(DEADLINE_S):
            assert (await socket.receive()).type is WSMsgType.PING
        # Nobody answers it.
        await eventually(lambda: not served.readers(), DEADLINE_S)


async def test_what_the_reader_says_changes_nothing(served: Served, site: Site) -> None:
    topic = await served.follow(site)
    async with served.session.ws_connect(served.url(topic)) as socket:
        await frame(socket)
        await socket.send_str('{"subscribe": "everything"}')
        await served.hub.publish(topic, atom("one"))
        assert (await frame(socket))["type"] == "event"


async def test_a_socket_that_is_closed_is_forgotten(served: Served, site: Site) -> None:
    topic = await served.follow(site)
    async with served.session.ws_connect(served.url(topic)) as socket:
        await frame(socket)
        assert served.readers() == 1
    await eventually(lambda: not served.readers(), DEADLINE_S)


async def test_it_is_closed_when_the_web_process_stops(served: Served, site: Site) -> None:
    topic = await served.follow(site)
    async with served.session.ws_connect(served.url(topic)) as socket:
        await frame(socket)
        stopping = asyncio.create_task(served.webs[0].stop())
        async with asyncio.timeout(DEADLINE_S):
            assert (await socket.receive()).data == aiohttp.WSCloseCode.GOING_AWAY
        await stopping


class TestOrigin:
    @pytest.mark.parametrize(
        ("origin", "status"),
        [
            (None, 101),
            ("http://hub.example", 101),
            ("https://hub.example", 403),
            ("http://hub.example.evil.example", 403),
            ("null", 403),
        ],
    )
    async def test_what_is_not_public_is_for_the_hubs_own_pages(
        self, start_served: StartServed, site: Site, origin: str | None, status: int
    ) -> None:
        served = await start_served(read_tokens=TOKEN)
        topic = await served.follow(site)
        headers = {"Authorization": f"Bearer {TOKEN}"} | ({"Origin": origin} if origin else {})
        assert await _status(served, served.url(topic), headers) == status

    async def test_what_is_public_is_for_the_pages_of_anybody(
        self, served: Served, site: Site
    ) -> None:
        topic = await served.follow(site)
        headers = {"Origin": "https://elsewhere.example"}
        assert await _status(served, served.url(topic), headers) == 101


async def _status(served: Served, url: str, headers: dict[str, str]) -> int:
    try:
        async with served.session.ws_connect(url, headers=headers):
            return 101
    except aiohttp.WSServerHandshakeError as error:
        return error.status
