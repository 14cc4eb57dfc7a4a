"""The listening socket and its connections: what happens before a request can be read."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from hub.seldom import Seldom
from hub.web.app import SERVER
from hub.web.crowd import Crowd

KEEPALIVE_S = 75
HEAD_DEADLINE_S = 20
CONNECTIONS_MAX = 1_000
_BACKLOG = 1024
# asyncio accepts so many at once before any of them can be cut off.
_ACCEPTED_AT_ONCE = 16
_REPORT_EACH_S = 10
_LINGER_S = 2
_SHUTDOWN_S = 2
NO_DESCRIPTOR = "socket.accept() out of system resource"
_LOG = structlog.get_logger()


class Connection(RequestHandler):
    """Answers what is no HTTP without a traceback: a TLS hello, a scanner, a broken client.

    And ends what trickles in: the head of a request has some seconds, the first from the moment
    of the connection, others from their first byte.
    """

    def __init__(
        self,
        server: web.Server,
        *,
        loop: asyncio.AbstractEventLoop,
        crowd: Crowd,
        head_deadline_s: float,
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
        self._crowd = crowd
        self._head_deadline_s = head_deadline_s
        self._cut: asyncio.TimerHandle | None = None
        self._when_lost: Callable[[], None] | None = None

    def tell_when_lost(self, told: Callable[[], None] | None) -> None:
        """Has it called once the connection is gone: nobody waits for this answer any more."""
        self._when_lost = told

    @property
    def is_waiting(self) -> bool:
        """Whether no request has come whole, or is being worked on."""
        # aiohttp waits between requests alone: while one is read or worked on, others have a say.
        is_between_requests = self._waiter is not None and not self._waiter.done()
        return is_between_requests or self._request_count == 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts the deadline of the first head."""
        super().connection_made(transport)
        self._start_deadline()
        self._crowd.enter(self)

    def data_received(self, data: bytes) -> None:
        """Reads on; what is no whole head yet has until its deadline to become one."""
        super().data_received(data)
        if not self.is_waiting:
            self._keep()
        elif self._cut is None:
            self._start_deadline()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forgets the deadline."""
        self._keep()
        self._crowd.leave(self)
        super().connection_lost(exc)
        if self._when_lost is not None:
            self._when_lost()

    def _start_deadline(self) -> None:
        self._cut = self._loop.call_later(self._head_deadline_s, self._cut_off)

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
    app: web.Application,
    *,
    host: str,
    port: int,
    head_deadline_s: float = HEAD_DEADLINE_S,
    connections_max: int = CONNECTIONS_MAX,
) -> AsyncIterator[int]:
    """Serve the application, and yield the port (the one that was free where `port` is 0).

    At the end no connection is taken any more, and those under way have 2 s to finish.

    Raises:
        OSError: the address cannot be listened on.
    """
    runner = web.AppRunner(app, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_Faults().report)
    connection = partial(
        Connection,
        runner.server,  # type: ignore[arg-type]  # None only before setup()
        loop=loop,
        crowd=Crowd(connections_max),
        head_deadline_s=head_deadline_s,
    )
    try:
        server = await loop.create_server(connection, host, port, backlog=_ACCEPTED_AT_ONCE)
        _lengthen_queues(server)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
    finally:
        await runner.cleanup()


def _lengthen_queues(server: asyncio.Server) -> None:
    """Lets more wait in the kernel than are accepted at once, which asyncio takes for the same."""
    for listener in server.sockets:
        with socket.fromfd(listener.fileno(), listener.family, listener.type) as same:
            same.listen(_BACKLOG)


class _Faults:
    """What the event loop has nobody else to tell of."""

    def __init__(self) -> None:
        self._report = Seldom(interval_s=_REPORT_EACH_S)

    def report(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Logs it; that no descriptor is left, once in a while."""
        if context["message"] != NO_DESCRIPTOR:
            loop.default_exception_handler(context)
        elif self._report.is_due():
            _LOG.error("no connection can be taken", error=str(context.get("exception")))
