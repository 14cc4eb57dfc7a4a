"""An event as bytes: made once, and the same bytes for each reader of a channel."""

import enum
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from hub.store.event_id import EventId

_SHORT, _LONG = 126, 1 << 16
# RFC 6455 5.2: a whole text message, unmasked.
_FINAL_TEXT = 0x81


class Channel(enum.StrEnum):
    """How a stream of events is written."""

    SSE = "text/event-stream"
    LINES = "application/x-ndjson"
    WEBSOCKET = "websocket"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """One frame.

    Attributes:
        topic_id: whose readers get it.
        event_id: the cursor of whoever has it.
        sse_type: what EventSource calls it; empty for its usual one.
        json: on one line.
    """

    topic_id: str
    event_id: EventId
    sse_type: str
    json: bytes
    _frames: dict[Channel, bytes] = field(default_factory=dict)

    def framed(self, channel: Channel) -> bytes:
        """Returns the frame as a channel has it: the same object each time."""
        frame = self._frames.get(channel)
        if frame is None:
            frame = self._frames[channel] = _FRAMING[channel](self)
        return frame


def _as_sse(prepared: Prepared) -> bytes:
    kind = f"event: {prepared.sse_type}\n" if prepared.sse_type else ""
    return b"id: %s\n%sdata: %s\n\n" % (
        str(prepared.event_id).encode(),
        kind.encode(),
        prepared.json,
    )


def _as_line(prepared: Prepared) -> bytes:
    return prepared.json + b"\n"


def _as_message(prepared: Prepared) -> bytes:
    length = len(prepared.json)
    if length < _SHORT:
        head = struct.pack(">BB", _FINAL_TEXT, length)
    elif length < _LONG:
        head = struct.pack(">BBH", _FINAL_TEXT, 126, length)
    else:
        head = struct.pack(">BBQ", _FINAL_TEXT, 127, length)
    return head + prepared.json


_FRAMING: Final[Mapping[Channel, Callable[[Prepared], bytes]]] = {
    Channel.SSE: _as_sse,
    Channel.LINES: _as_line,
    Channel.WEBSOCKET: _as_message,
}
