"""One stream: first what it has missed, from the history, then what comes, straight to the wire.

Live events are written to the transport as they are, without a task's waking up for each reader. A
reader that takes less than comes in is cut off, once so much waits for it, and comes back with its
cursor.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog

from hub.store.event_id import BEFORE_ALL, EventId
from hub.store.history import History
from hub.web.events.page import read_page
from hub.web.events.prepared import Channel, Prepared
from hub.web.events.press import Press

# Who reads nothing of what is missed for so long is gone.
TAKEN_WITHIN_S: Final = 60.0
_PAGE_LIMIT = 100
_LOG = structlog.get_logger()

Send = Callable[[Prepared], Awaitable[None]]


class StreamReader:
    """A reader with a connection of its own."""

    def __init__(
        self,
        transport: asyncio.Transport,
        channel: Channel,
        *,
        buffer_max_bytes: int,
        heartbeat: bytes,
        heartbeat_s: float,
    ) -> None:
        """Writes nothing before `catch_up`.

        Args:
            transport: to the client; a head or a handshake is already on it.
            channel: how events are written.
            buffer_max_bytes: with more than that unsent, the reader is cut off.
            heartbeat: written after so long without anything; empty for none.
            heartbeat_s: how long.
        """
        self._transport = transport
        self._channel = channel
        self._buffer_max_bytes = buffer_max_bytes
        self._heartbeat = heartbeat
        self._heartbeat_s = heartbeat_s
        self._loop = asyncio.get_running_loop()
        self._beat: asyncio.TimerHandle | None = None
        self._written_at_s = self._loop.time()
        self._position = BEFORE_ALL
        self._offered_to = BEFORE_ALL
        self._is_live = False
        self.ended = self._loop.create_future()

    def offer(self, event: Prepared) -> None:
        """Writes a live event, or cuts the reader off that is too far behind."""
        if event.event_id <= self._position:
            return
        if not self._is_live:
            self._offered_to = event.event_id
            return
        self._position = event.event_id
        self._write(event.framed(self._channel))

    def end(self) -> None:
        """Ends the stream; what was written still goes out."""
        if self._beat is not None:
            self._beat.cancel()
        if not self.ended.done():
            self.ended.set_result(None)

    def cut_off(self) -> None:
        """Drops the connection at once, and what has not gone out with it."""
        self._transport.abort()
        self.end()

    async def catch_up(
        self, history: History, press: Press, cursors: Mapping[str, EventId],
        urls: Mapping[str, str], send: Send,
    ) -> None:  # fmt: skip
        """Sends what comes after the cursors; from its return on, `offer` writes.

        Args:
            history: where it is read.
            press: makes it into frames.
            cursors: by topic id.
            urls: likewise.
            send: writes one frame, and returns when the client has room for another.

        Raises:
            TimeoutError: the client takes nothing.
            ConnectionError: the client is gone.
        """
        while not self.ended.done():
            page = await read_page(history, cursors, limit=_PAGE_LIMIT)
            for item in page.items:
                event = await press.prepare(item, urls)
                async with asyncio.timeout(TAKEN_WITHIN_S):
                    await send(event)
            cursors = {topic: max(at, page.complete_to) for topic, at in cursors.items()}
            self._position = min(cursors.values())
            # Nothing may come between this look and the last page: no await.
            if page.is_last and self._offered_to <= self._position:
                self._is_live = True
                self._keep_alive()
                return

    def _write(self, data: bytes) -> None:
        if self._transport.is_closing():
            self.end()
        elif self._transport.get_write_buffer_size() > self._buffer_max_bytes:
            _LOG.debug("slow reader cut off", unsent=self._transport.get_write_buffer_size())
            self.cut_off()
        else:
            self._written_at_s = self._loop.time()
            self._transport.write(data)

    def _keep_alive(self) -> None:
        if not self._heartbeat or self.ended.done():
            return
        at_s = self._written_at_s + self._heartbeat_s
        if at_s <= self._loop.time():
            self._write(self._heartbeat)
            at_s = self._loop.time() + self._heartbeat_s
        self._beat = self._loop.call_at(at_s, self._keep_alive)
