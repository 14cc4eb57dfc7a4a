"""The same frames as text messages of a WebSocket (RFC 6455)."""

import asyncio
from contextlib import suppress

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from hub.store.results import StoreFull, StoreUnavailable
from hub.web.events.access import Refused
from hub.web.events.desk import Desk, Following
from hub.web.events.prepared import Channel, Prepared
from hub.web.events.reader import StreamReader
from hub.web.events.schema import as_json, start_fields

# Nothing that a client says is read.
_MESSAGE_MAX_BYTES = 4_096
_FOREIGN = "Pages of other web sites may only follow public topics by WebSocket."
_LOG = structlog.get_logger()


async def follow_by_socket(
    request: web.Request, desk: Desk, following: Following
) -> web.StreamResponse:
    """Returns once the reader is gone, or cut off.

    Raises:
        Refused: a page of another origin asks for what is not public (RFC 6455 10.2).
    """
    origin = request.headers.get("Origin")
    if origin is not None and not following.is_public and not desk.access.is_same_origin(origin):
        raise Refused(_FOREIGN, status=403)
    socket = web.WebSocketResponse(
        heartbeat=desk.heartbeat_s, max_msg_size=_MESSAGE_MAX_BYTES, compress=False
    )
    with desk.visitors.counted(desk.access.address_of(request)):
        await socket.prepare(request)
        transport = request.transport
        if transport is None:
            return socket
        reader = StreamReader(
            transport,
            Channel.WEBSOCKET,
            buffer_max_bytes=desk.buffer_max_bytes,
            heartbeat=b"",
            heartbeat_s=desk.heartbeat_s,
        )
        with desk.newsroom.attached(reader, following.urls, newest=following.newest):
            await _read_on(socket, reader, desk, following)
    return socket


async def _read_on(
    socket: web.WebSocketResponse, reader: StreamReader, desk: Desk, following: Following
) -> None:
    async def send(event: Prepared) -> None:
        await socket.send_frame(event.json, WSMsgType.TEXT)

    listening = asyncio.create_task(_listen(socket, reader))
    try:
        await socket.send_frame(as_json(start_fields(following.cursor)), WSMsgType.TEXT)
        for event in following.resets:
            await send(event)
        await reader.catch_up(desk.history, desk.press, following.cursors, following.urls, send)
        await reader.ended
    except (StoreUnavailable, StoreFull, TimeoutError, ConnectionError) as error:
        _LOG.debug("socket broken off", error=type(error).__name__)
    except Exception:  # noqa: BLE001 - logged with its traceback; there is no answer to send
        _LOG.exception("socket failed")
    finally:
        reader.end()
        listening.cancel()
        await asyncio.wait([listening])
    with suppress(ConnectionError):
        await socket.close(code=WSCloseCode.GOING_AWAY)


async def _listen(socket: web.WebSocketResponse, reader: StreamReader) -> None:
    """Lets pings, pongs and the end be answered; what else is said is not for us."""
    async for _ in socket:
        pass
    reader.end()
