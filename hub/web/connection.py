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
_BACKLOG = 1024
_LINGER_S = 2
_SHUTDOWN_S = 2
_LOG = structlog.get_logger()


class Connection(RequestHandler):
    """Answers what is no HTTP without a traceback: a TLS hello, a scanner, a broken client."""

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
async def listening(app: web.Application, *, host: str, port: int) -> AsyncIterator[int]:
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
        access_log=None,  # type: ignore[arg-type]  # aiohttp takes None for no access log
        keepalive_timeout=KEEPALIVE_S,
        lingering_time=_LINGER_S,
    )
    try:
        server = await loop.create_server(connection, host, port, backlog=_BACKLOG)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
    finally:
        await runner.cleanup()
