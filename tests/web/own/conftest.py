"""A hub that takes content for topics of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import pytest
from yarl import URL

from tests.web.events.served import Served, open_served
from tests.workers.sites import Site, Topic

TOKEN = "a-token-for-publishing"
MAX = 64 * 1024
DOOR = "http://hub.example/t/door"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The topic /t/door of a hub, as publishers and readers see it."""

    served: Served

    @property
    def topic(self) -> Topic:
        return Topic(url=DOOR, body=b"", content_type=None)

    async def post(
        self,
        body: bytes,
        content_type: str | None = "text/plain",
        *,
        token: str | None = TOKEN,
        web: int = 0,
        path: str = "/t/door",
        **headers: str,
    ) -> Said:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if content_type is not None:
            sent["Content-Type"] = content_type
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        return await self.ask("POST", path, web=web, body=body, headers=sent)

    async def get(self, method: str = "GET", path: str = "/t/door", **headers: str) -> Said:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.ask(method, path, headers=sent)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        web: int = 0,
        body: bytes = b"",
        headers: dict[str, str],
    ) -> Said:
        url = f"http://127.0.0.1:{self.served.webs[web].port}{path}"
        async with (
            asyncio.timeout(10),
            self.served.session.request(
                method,
                URL(url, encoded=True),
                data=body,
                headers=headers,
                skip_auto_headers=["Content-Type"],
            ) as response,
        ):
            return Said(
                status=response.status, headers=response.headers, body=await response.read()
            )


@pytest.fixture
async def door(redis_url: str, key_prefix: str) -> AsyncIterator[Door]:
    async with contextlib.AsyncExitStack() as stack:
        opened = open_served(
            redis_url, key_prefix, {}, 2, publish_tokens=TOKEN, publish_max_bytes=MAX
        )
        yield Door(served=await stack.enter_async_context(opened))


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site().open() as opened:
        yield opened
