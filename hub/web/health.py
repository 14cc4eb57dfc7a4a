"""Whether the process lives, and whether work sent to it would be done."""

from typing import assert_never

import structlog
from aiohttp import web

from hub.clock import monotonic_s
from hub.store.results import NotReady, Ready, StoreFull, StoreUnavailable
from hub.web.errors import plain
from hub.web.port import HubStore

# While a hub starts, its worker is not there yet: that is no news.
NEWS_AFTER_S = 2.0
_NO_REDIS = "Redis does not answer."
_NO_ROOM = "There is no room for anything new."
_NO_WORKER = "No worker is alive."
_LOG = structlog.get_logger()


class Health:
    """The two questions that an orchestrator asks.

    Strangers may ask them too: they get one of a few sentences, and the log gets the particulars.
    """

    def __init__(self, store: HubStore, *, news_after_s: float = NEWS_AFTER_S) -> None:
        self._store = store
        self._news_after_s = news_after_s
        self._fault: str | None = None
        self._since_s = 0.0
        self._is_told = False

    async def live(self, _request: web.Request) -> web.Response:
        """Return 200 always: who answers, lives."""
        return plain(200, "alive")

    async def ready(self, _request: web.Request) -> web.Response:
        """Return 200 only when a subscription and a ping would be worked on, else 503 and why."""
        fault, particulars = await self._look()
        self._tell(fault, particulars)
        return plain(200, "ready") if fault is None else plain(503, fault)

    async def _look(self) -> tuple[str | None, str]:
        try:
            answer = await self._store.readiness()
        except StoreUnavailable as error:
            return _NO_REDIS, str(error)
        except StoreFull as error:
            return _NO_ROOM, str(error)
        match answer:
            case Ready():
                return None, ""
            case NotReady(reason=reason):
                return _NO_WORKER, reason
            case never:
                assert_never(never)

    def _tell(self, fault: str | None, particulars: str) -> None:
        now_s = monotonic_s()
        if fault != self._fault:
            if fault is None and self._is_told:
                _LOG.info("ready")
            self._fault, self._since_s, self._is_told = fault, now_s, False
        is_news = now_s - self._since_s >= self._news_after_s and not self._is_told
        if fault is not None and is_news:
            self._is_told = True
            _LOG.warning("not ready", reason=particulars)
