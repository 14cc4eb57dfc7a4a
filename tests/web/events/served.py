"""A hub whose events are read: store, crew and web servers in this process, on a real Redis."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp

from hub.web.app import create_app
from hub.web.connection import listening
from hub.web.events.cookie import TokenCookie
from hub.web.events.opening import Bounds, events_of
from hub.web.events.resource import Events
from hub.web.face import Face
from hub.web.main import policy_of
from hub.web.own.resource import OwnTopicPages
from hub.web.tokens import Tokens
from tests.workers.feeds import ATOM, atom
from tests.workers.hub_in_process import Hub, open_hub
from tests.workers.sites import Site, Topic

DEADLINE_S = 10
SSE = "text/event-stream"
LINES = "application/x-ndjson"


@dataclass(slots=True, kw_only=True)
class Served:
    """A hub with one or more web servers."""

    hub: Hub
    session: aiohttp.ClientSession
    bounds: Bounds
    webs: list["Web"] = field(default_factory=list)

    async def start_web(self, stack: contextlib.AsyncExitStack) -> None:
        web = await _open_web(self.hub, len(self.webs), self.bounds)
        self.webs.append(web)
        stack.push_async_callback(web.stop)

    def readers(self) -> int:
        """Returns how many streams and long polls there are."""
        return sum(web.events._desk.visitors._counts.total() for web in self.webs)

    def url(self, *topics: Topic | str, web: int = 0, **query: object) -> str:
        """Returns the URL of these topics' events."""
        named = [("topic", one if isinstance(one, str) else one.url) for one in topics]
        pairs = [*named, *query.items()]
        text = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in pairs)
        return f"http://127.0.0.1:{self.webs[web].port}/events?{text}"

    async def follow(self, site: Site, path: str = "/feed", *, is_known: bool = True) -> Topic:
        """Returns a topic with a baseline that the hub knows, and nobody has subscribed to."""
        topic = site.topic(path, atom("zero"), content_type=ATOM)
        if is_known:
            await self.know(topic)
        return topic

    async def know(self, topic: Topic) -> None:
        await self.hub.store.history.follow(topic.url)
        await self.hub.until_fetched(topic)

    async def pull(self, *topics: Topic | str, web: int = 0, **query: object) -> dict[str, Any]:
        status, answer = await self.get(self.url(*topics, web=web, **query))
        assert status == 200, answer
        found: dict[str, Any] = json.loads(answer)
        return found

    async def get(self, url: str, **headers: str) -> tuple[int, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with asyncio.timeout(30), self.session.get(url, headers=named) as response:
            return response.status, await response.text()

    @contextlib.asynccontextmanager
    async def streaming(self, url: str, **headers: str) -> AsyncIterator["Stream"]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.get(url, headers=named) as response:
            assert response.status == 200, await response.text()
            yield Stream(response)


class Stream:
    """A stream as its client sees it."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def block(self) -> dict[str, str]:
        """Returns the next SSE block by its fields; a comment's name is empty."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(DEADLINE_S):
            while (line := (await self.response.content.readline()).decode()) != "\n":
                assert line, "the stream has ended"
                name, _, value = line.rstrip("\n").partition(":")
                assert name not in fields
                fields[name] = value.removeprefix(" ")
        return fields

    async def event(self) -> dict[str, Any]:
        """Returns the next SSE event's data."""
        while "data" not in (block := await self.block()):
            pass
        found: dict[str, Any] = json.loads(block["data"])
        assert found["id"] == block["id"]
        return found

    async def line(self) -> dict[str, Any]:
        """Returns the next JSON line."""
        async with asyncio.timeout(DEADLINE_S):
            while not (line := await self.response.content.readline()).strip():
                assert line, "the stream has ended"
        found: dict[str, Any] = json.loads(line)
        return found

    async def ended(self) -> bytes:
        """Returns what is left once the hub has ended the stream."""
        async with asyncio.timeout(DEADLINE_S):
            return await self.response.content.read()


@contextlib.asynccontextmanager
async def open_served(
    url: str,
    prefix: str,
    limits: dict[str, int],
    webs: int,
    **settings: Any,  # noqa: ANN401 - any setting
) -> AsyncIterator[Served]:
    given = {
        name: settings.pop(name) for name in ("heartbeat_s", "readers_max") if name in settings
    }
    bounds = Bounds(**({"readers_max": 10_000} | given))
    async with (
        open_hub(url, prefix, limits, **settings) as hub,
        aiohttp.ClientSession() as session,
        contextlib.AsyncExitStack() as stack,
    ):
        hub.start_crew()
        served = Served(hub=hub, session=session, bounds=bounds)
        for _ in range(webs):
            await served.start_web(stack)
        yield served


@dataclass(slots=True, kw_only=True)
class Web:
    """One web server."""

    port: int
    events: Events
    stack: contextlib.AsyncExitStack

    async def stop(self) -> None:
        await self.stack.aclose()


async def _open_web(hub: Hub, number: int, bounds: Bounds) -> Web:
    face = Face(hub_url=hub.settings.hub_url, request_max_bytes=10_000)
    policy = policy_of(hub.settings, face)
    store = hub.new_store(f"web{number}")
    events = events_of(
        hub.settings,
        hub.url,
        store,
        policy=policy,
        check_room=_has_room,
        bounds=bounds,
    )
    own = OwnTopicPages(
        store.own_topics,
        Tokens.of(hub.settings.publish_tokens),
        hub_url=hub.settings.hub_url,
        content_max_bytes=hub.settings.publish_max_bytes,
        check_room=_has_room,
    )
    cookie = TokenCookie(Tokens.of(hub.settings.read_tokens), hub_url=hub.settings.hub_url)
    app = create_app(store, policy, face, events, own, cookie)
    stack = contextlib.AsyncExitStack()
    port = await stack.enter_async_context(listening(app, host="127.0.0.1", port=0))
    return Web(port=port, events=events, stack=stack)


async def _has_room() -> None:
    """There is."""
