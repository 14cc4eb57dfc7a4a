"""Streams over HTTP: server-sent events (HTML, 9.2) and JSON lines."""

from collections.abc import Mapping
from typing import Final

import structlog
from aiohttp import web

from hub.clock import sample
from hub.store.event_id import EventId
from hub.store.results import StoreFull, StoreUnavailable
from hub.web.events.desk import Desk, Following
from hub.web.events.loss import told_when_lost
from hub.web.events.prepared import Channel, Prepared
from hub.web.events.reader import StreamReader
from hub.web.events.schema import as_json, start_fields

# Spread, so that the readers of a hub that starts anew don't all come at once.
RETRY_MIN_MS, RETRY_SPREAD_MS = 2_000, 4_000
HEARTBEATS: Final[Mapping[Channel, bytes]] = {Channel.SSE: b":\n\n", Channel.LINES: b"\n"}
_HEADERS = {
    # No proxy is to change it, and so to wait for more of it.
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
}
_LOG = structlog.get_logger()


class _Unbounded(web.StreamResponse):
    """An answer that ends with its connection, so that each event's bytes are the same for all."""

    _length_check = False


async def stream(
    request: web.Request, desk: Desk, following: Following, channel: Channel
) -> web.StreamResponse:
    """Returns once the reader is gone, or cut off."""
    transport = request.transport
    response = _Unbounded(headers=_HEADERS | {"Content-Type": f"{channel.value}; charset=utf-8"})
    response.force_close()
    if transport is None:
        return response
    reader = StreamReader(
        transport,
        channel,
        buffer_max_bytes=desk.buffer_max_bytes,
        heartbeat=HEARTBEATS[channel],
        heartbeat_s=desk.heartbeat_s,
    )
    with (
        desk.visitors.counted(desk.access.address_of(request)),
        desk.newsroom.attached(reader, following.urls, newest=following.newest),
        told_when_lost(request, reader.end),
    ):
        if following.is_public:
            response.headers["Access-Control-Allow-Origin"] = "*"
        await response.prepare(request)
        await _read_on(response, reader, desk, following, channel)
    return response


async def _read_on(
    response: web.StreamResponse,
    reader: StreamReader,
    desk: Desk,
    following: Following,
    channel: Channel,
) -> None:
    async def send(event: Prepared) -> None:
        await response.write(event.framed(channel))

    try:
        await response.write(_opening(channel, following.cursor))
        for event in following.resets:
            await send(event)
        await reader.catch_up(desk.history, desk.press, following.cursors, following.urls, send)
        await reader.ended
    except (StoreUnavailable, StoreFull, TimeoutError, ConnectionError) as error:
        # No status can be sent any more: the reader comes back, and is told then.
        _LOG.debug("stream broken off", error=type(error).__name__)
        reader.cut_off()
    except Exception:  # noqa: BLE001 - logged with its traceback, and a second answer is no answer
        _LOG.exception("stream failed")
        reader.cut_off()
    finally:
        reader.end()


def _opening(channel: Channel, cursor: EventId) -> bytes:
    """The cursor comes first: who is cut off before any event comes back with that."""
    if channel is Channel.SSE:
        retry_ms = RETRY_MIN_MS + round(sample() * RETRY_SPREAD_MS)
        return b"retry: %d\nid: %s\n\n" % (retry_ms, str(cursor).encode())
    return as_json(start_fields(cursor)) + b"\n"
