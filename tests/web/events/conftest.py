"""Hubs in this process with their web servers, and a site to follow."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.web.events.served import Served, open_served
from tests.workers.sites import Site

StartServed = Callable[..., Awaitable[Served]]


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site().open() as opened:
        yield opened


@pytest.fixture
async def start_served(redis_url: str, key_prefix: str) -> AsyncIterator[StartServed]:
    """Starts `start_served(limits={...}, webs=1, **settings)`."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(
            limits: dict[str, int] | None = None,
            webs: int = 1,
            **settings: Any,  # noqa: ANN401 - any setting
        ) -> Served:
            opened = open_served(redis_url, key_prefix, limits or {}, webs, **settings)
            return await stack.enter_async_context(opened)

        yield start


@pytest.fixture
async def served(start_served: StartServed) -> Served:
    return await start_served(public_topics="all")
