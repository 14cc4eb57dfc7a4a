"""A topic's log: its events, and what is left of them for who is behind (invariant 7)."""

import struct
from dataclasses import dataclass
from typing import TypeAlias

from hub.feeds.fat_ping import FatPing, pack, unpack
from hub.store.commit import GroupCommit
from hub.store.event_id import BEFORE_ALL, EventId

_CONTENT_TYPE_BYTES = struct.Struct(">H")
_ENTRIES, _WHOLE = b"E", b"W"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntriesEvent:
    """New and changed entries of a feed, in its envelope as it was then."""

    content_type: str
    ping: FatPing


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeEvent:
    """The topic changed as a whole: its body is the topic's newest one, kept beside the log."""

    content_type: str


Event: TypeAlias = EntriesEvent | WholeEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSlice:
    """Events after a cursor, oldest first; `trimmed_to` is the last one that is gone."""

    trimmed_to: EventId
    events: tuple[tuple[EventId, Event], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeDocument:
    """A topic's present document, and the first and last event after a cursor that it holds."""

    first: EventId
    head: EventId
    content_type: str
    body: bytes


def pack_event(event: Event) -> bytes:
    """Returns an event as the log keeps it."""
    content_type = event.content_type.encode("latin-1", "replace")
    head = _CONTENT_TYPE_BYTES.pack(len(content_type)) + content_type
    if isinstance(event, WholeEvent):
        return _WHOLE + head
    return _ENTRIES + head + pack(event.ping)


def unpack_event(raw: bytes) -> Event:
    """Returns the event of a log record.

    Raises:
        ValueError: the record is damaged, or of a later version.
    """
    kind, start = raw[:1], 1 + _CONTENT_TYPE_BYTES.size
    (length,) = _CONTENT_TYPE_BYTES.unpack_from(raw, 1)
    content_type = raw[start : start + length].decode("latin-1")
    if kind == _WHOLE:
        return WholeEvent(content_type=content_type)
    if kind == _ENTRIES:
        return EntriesEvent(content_type=content_type, ping=unpack(raw[start + length :]))
    raise ValueError(f"an event of unknown kind {kind!r}")


class Log:
    """Reads the logs of all topics."""

    def __init__(self, commit: GroupCommit) -> None:
        self._commit = commit

    async def read(self, topic_id: str, *, after: EventId, to: EventId) -> LogSlice:
        """Returns what is left of the events after a cursor, up to and including `to`."""
        trimmed_to, events = await self._commit.call("read_log", topic_id, str(after), str(to))
        return LogSlice(
            trimmed_to=EventId.parse(trimmed_to),
            events=tuple((EventId.parse(id_), unpack_event(raw)) for id_, raw in events),
        )

    async def read_whole(self, topic_id: str, *, after: EventId = BEFORE_ALL) -> WholeDocument:
        """Returns the topic's present document, and the first event after a cursor."""
        reply = await self._commit.call("read_body", topic_id, str(after))
        head, first, content_type, body = reply
        return WholeDocument(
            first=EventId.parse(first or head),
            head=EventId.parse(head),
            content_type=content_type.decode("latin-1"),
            body=body,
        )
