"""The listening socket and its connections: what happens before a request can be read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from hub.web.app import SERVER

KEEPALIVE_S = 75
HEAD_DEADLINE_S = 20
_BACKLOG = 1024
_LINGER_S = 2
_SHUTDOWN_S = 2
_LOG = structlog.get_logger()


class Connection(RequestHandler):
    """Answers what is no HTTP without a traceback: a TLS hello, a scanner, a broken client.

    And ends what trickles in: from its first byte the head of a request has some seconds.
    """

    def __init__(
        self, server: web.Server, *, loop: asyncio.AbstractEventLoop, head_deadline_s: float
    ) -> None:
        """Belongs to a server; one is made for each connection."""
        super().__init__(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # aiohttp takes None for no access log
            keepalive_timeout=KEEPALIVE_S,
            lingering_time=_LINGER_S,
            auto_decompress=False,
        )
        self._head_deadline_s = head_deadline_s
        self._cut: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Reads on; what is no whole head yet has until its deadline to become one."""
        super().data_received(data)
        # aiohttp waits between requests alone: while one is read or worked on, others have a say.
        is_head_incomplete = self._waiter is not None and not self._waiter.done()
        if not is_head_incomplete:
            self._keep()
        elif self._cut is None:
            self._cut = self._loop.call_later(self._head_deadline_s, self._cut_off)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forgets the deadline."""
        self._keep()
        super().connection_lost(exc)

    def _keep(self) -> None:
        if self._cut is not None:
            self._cut.cancel()
            self._cut = None

    def _cut_off(self) -> None:
        _LOG.debug("head of a request too slow", seconds=self._head_deadline_s)
        self.force_close()

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Return the answer to what no handler saw; the connection is closed after it."""
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        _LOG.debug("unreadable request", peer=request.remote, error=type(exc).__name__)
        headers = {"Server": SERVER}
        response = web.Response(status=400, text="This is no HTTP request.\n", headers=headers)
        response.force_close()
        return response


@asynccontextmanager
async def listening(
    app: web.Application, *, host: str, port: int, head_deadline_s: float = HEAD_DEADLINE_S
) -> AsyncIterator[int]:
    """Serve the application, and yield the port (the one that was free where `port` is 0).

    At the end no connection is taken any more, and those under way have 2 s to finish.

    Raises:
        OSError: the address cannot be listened on.
    """
    runner = web.AppRunner(app, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    loop = asyncio.get_running_loop()
    connection = partial(
        Connection,
        runner.server,  # type: ignore[arg-type]  # None only before setup()
        loop=loop,
        head_deadline_s=head_deadline_s,
    )
    try:
        server = await loop.create_server(connection, host, port, backlog=_BACKLOG)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
    finally:
        await runner.cleanup()
