"""A real server on a free port, before a store that keeps everything in lists."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from hub.web.app import create_app
from hub.web.connection import listening
from tests.protocol.policy import POLICY
from tests.web.hub_server import FACE, Hub, ListStore


@pytest.fixture
def store() -> ListStore:
    return ListStore()


@pytest.fixture
async def hub(store: ListStore) -> AsyncIterator[Hub]:
    app = create_app(store, POLICY, FACE)
    async with (
        listening(app, host="127.0.0.1", port=0) as port,
        aiohttp.ClientSession() as session,
    ):
        yield Hub(port=port, session=session)
