"""A hub of real processes, and web sites for it to talk to."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.end_to_end.processes import Hub, Served, client, running_hub
from tests.workers.sites import Site


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site().open() as opened:
        yield opened


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with client() as session:
        yield session


@pytest.fixture
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    async with running_hub(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest.fixture
async def served(
    tmp_path: Path, session: aiohttp.ClientSession, socket_root: Path
) -> AsyncIterator[Served]:
    served = Served(tmp_path, session, socket_root=socket_root)
    try:
        await served.start()
        yield served
    finally:
        await served.close()
