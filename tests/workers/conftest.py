"""A hub in this process, and web sites for it to talk to."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.workers.hub_in_process import Hub, open_hub
from tests.workers.sites import Site

StartHub = Callable[..., Awaitable[Hub]]


@pytest.fixture
async def start_hub(redis_url: str, key_prefix: str) -> AsyncIterator[StartHub]:
    """Starts `start_hub(crews=1, limits={...}, **settings)`."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(
            crews: int = 1,
            limits: dict[str, int] | None = None,
            **settings: Any,  # noqa: ANN401 - any setting
        ) -> Hub:
            opened = open_hub(redis_url, key_prefix, limits or {}, **settings)
            hub = await stack.enter_async_context(opened)
            for _ in range(crews):
                hub.start_crew()
            return hub

        yield start


@pytest.fixture
async def hub(start_hub: StartHub) -> Hub:
    return await start_hub()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site().open() as opened:
        yield opened
