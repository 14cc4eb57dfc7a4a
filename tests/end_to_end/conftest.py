"""A hub of real processes, and web sites for it to talk to."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.end_to_end.processes import Hub
from tests.workers.sites import Site


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site().open() as opened:
        yield opened


@pytest.fixture
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    timeout = aiohttp.ClientTimeout(total=3)
    # A connection for each request, since the process at the other end is killed.
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        hub = Hub(tmp_path_factory.mktemp("hub"), session)
        try:
            await hub.start()
            yield hub
        finally:
            await hub.close()
