"""The resource /events: one address, and the channel by what the request accepts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import assert_never
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from hub.protocol.forms import parse_form
from hub.store.news import news
from hub.web.events.acceptance import Form, Raw, Wanted, wanted_form
from hub.web.events.describer import Describer
from hub.web.events.desk import Desk, Following
from hub.web.events.prepared import Channel
from hub.web.events.pull import pull
from hub.web.events.query import Query, read_query
from hub.web.events.raw import is_raw, pull_raw
from hub.web.events.socket import follow_by_socket
from hub.web.events.stream import stream

PATH = "/events"
_FAULT_PAUSE_S = 1.0
_LOG = structlog.get_logger()
_ANY_ORIGIN = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT = {
    **_ANY_ORIGIN,
    "Access-Control-Allow-Methods": "GET",
    "Access-Control-Allow-Headers": "Authorization, Last-Event-ID, Cache-Control",
    "Access-Control-Max-Age": "86400",
}
_EXPOSED = {"Access-Control-Expose-Headers": "Webhook-Id, Link"}


class Events:
    """Answers who follows topics without a callback."""

    def __init__(
        self, desk: Desk, describer: Describer, *, redis_url: str, key_prefix: str,
        url_max_bytes: int,
    ) -> None:  # fmt: skip
        self._desk = desk
        self._describer = describer
        self._redis_url = redis_url
        self._key_prefix = key_prefix
        self._url_max_bytes = url_max_bytes

    def add_to(self, app: web.Application) -> None:
        """Has the application route to it; live events are given out while that runs."""
        app.router.add_get(PATH, self.get, allow_head=False)
        app.router.add_options(PATH, self.preflight)
        app.cleanup_ctx.append(self._running)
        app.on_shutdown.append(self._end_all)

    async def _running(self, _app: web.Application) -> AsyncIterator[None]:
        work = asyncio.create_task(self._give_out())
        yield
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        await self._desk.trials.close()
        await self._desk.press.close()
        await self._describer.close()

    async def _give_out(self) -> None:
        while True:
            try:
                await self._desk.newsroom.run(news(self._redis_url, self._key_prefix))
            except Exception:  # noqa: BLE001 - logged with its traceback
                # Were it to end here, no event would come any more.
                _LOG.exception("fault; goes on")
            await asyncio.sleep(_FAULT_PAUSE_S)

    async def _end_all(self, _app: web.Application) -> None:
        self._desk.newsroom.end_all()

    async def preflight(self, _request: web.Request) -> web.Response:
        """Return what pages of other origins may ask for; none of it goes by a cookie."""
        return web.Response(status=204, headers=_PREFLIGHT)

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Return events on the channel that the request accepts."""
        # The target as it came: a URL that is decoded twice is another one.
        fields = parse_form(urlsplit(request.raw_path).query.encode("utf-8", "surrogateescape"))
        last_event_id = request.headers.get("Last-Event-ID")
        query = read_query(fields, last_event_id, url_max_bytes=self._url_max_bytes)
        wanted = wanted_form(request.headers.get("Accept", ""))
        following = await self._desk.admit(request, query)
        if request.headers.get("Upgrade", "").strip().lower() == Channel.WEBSOCKET:
            return await follow_by_socket(request, self._desk, following)
        return await self._answer(request, query, wanted, following)

    async def _answer(
        self, request: web.Request, query: Query, wanted: Wanted, following: Following
    ) -> web.StreamResponse:
        match wanted:
            case Form.SSE:
                return await stream(request, self._desk, following, Channel.SSE)
            case Form.LINES:
                return await stream(request, self._desk, following, Channel.LINES)
            case Form.PULL:
                response = await pull(request, self._desk, query, following)
            case Raw(otherwise=otherwise):
                if not is_raw(wanted, following):
                    return await self._answer(request, query, otherwise or Form.PULL, following)
                response = await pull_raw(request, self._desk, query, following)
            case never:
                assert_never(never)
        response.headers["Vary"] = "Accept"
        if following.is_public:
            response.headers.update(_ANY_ORIGIN | _EXPOSED)
        return response
