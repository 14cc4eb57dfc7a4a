"""`serve` as it is run, a site to follow, and a browser."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from hub.settings import Settings
from hub.store.store import Store
from tests.browser.chromium import Page, browsing, found_chromium
from tests.end_to_end.processes import Served, client
from tests.workers.sites import Site

READ_TOKEN, PUBLISH_TOKEN = "a-token-for-reading", "a-token-for-publishing"


class LiveHub(Served):
    """`serve` with tokens, whose web process can be found."""

    def _environment(self, **settings: str) -> dict[str, str]:
        tokens = {"READ_TOKENS": READ_TOKEN, "PUBLISH_TOKENS": PUBLISH_TOKEN}
        return super()._environment(**tokens, **settings)

    def web_pid(self) -> int:
        """Returns the process that was started last."""
        log = (self._folder / "serve.log").read_text()
        return int(re.findall(r"child started child=web pid=(\d+)", log)[-1])

    async def publish(self, name: str, body: bytes, content_type: str) -> int:
        headers = {"Authorization": f"Bearer {PUBLISH_TOKEN}", "Content-Type": content_type}
        url = f"{self.url}t/{name}"
        async with self._session.post(url, data=body, headers=headers) as response:
            return response.status

    def store(self) -> Store:
        """Returns the records, for what is to happen while no web process lives."""
        return Store.of(Settings(dev=True), self.redis_url, randomness="test")


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with client() as session:
        yield session


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site().open() as opened:
        yield opened


@pytest.fixture
async def hub(
    tmp_path: Path, session: aiohttp.ClientSession, socket_root: Path
) -> AsyncIterator[LiveHub]:
    hub = LiveHub(tmp_path, session, socket_root=socket_root)
    try:
        await hub.start()
        yield hub
    finally:
        await hub.close()


@pytest.fixture
async def page(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Page]:
    command = found_chromium()
    if command is None:
        pytest.skip("no Chromium: install one (Debian: apt-get install chromium)")
    async with browsing(command, tmp_path_factory.mktemp("browser")) as page:
        yield page
