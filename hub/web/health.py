"""Whether the process lives, and whether work sent to it would be done."""

from typing import assert_never

from aiohttp import web

from hub.store.results import NotReady, Ready
from hub.web.errors import plain
from hub.web.port import HubStore


class Health:
    """The two questions that an orchestrator asks."""

    def __init__(self, store: HubStore) -> None:
        self._store = store

    async def live(self, _request: web.Request) -> web.Response:
        """Return 200 always: who answers, lives."""
        return plain(200, "alive")

    async def ready(self, _request: web.Request) -> web.Response:
        """Return 200 only when a subscription and a ping would be worked on, else 503 and why."""
        match await self._store.readiness():
            case Ready():
                return plain(200, "ready")
            case NotReady(reason=reason):
                return plain(503, reason)
            case never:
                assert_never(never)
