"""One document with just the entries that matter, all else as published (WebSub 7)."""

import json
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hub.feeds.encoding import trailing_white_space
from hub.feeds.records import Context, Entry, Feed, Format, Surrounding

VERSION: Final = 1

# Checksum of all that follows; version; length of the JSON header; number of entries.
_LEAD = struct.Struct("!IBII")
_CHECKSUM_BYTES = 4
_ENTRY = struct.Struct("!16s16sII")


@dataclass(frozen=True, slots=True, kw_only=True)
class FatPing:
    """A document with these entries and no others.

    Attributes:
        entries: in document order, offsets into the document.
    """

    context: Context
    document: bytes
    entries: tuple[Entry, ...]


def cut(feed: Feed, keep: Iterable[Entry]) -> FatPing:
    """Return the feed less the entries that aren't kept, all else byte for byte.

    With an entry goes the white space before it, in JSON all that stands between it and the one
    before. What a truncated document has of its last entry is left out, and its end supplied.

    Args:
        feed: the document.
        keep: entries of this very feed, in any order.
    """
    kept_starts = {entry.start for entry in keep}
    writer = _Writer()
    position = 0
    is_list_begun = False
    for index, entry in enumerate(feed.entries):
        before = feed.body[position : entry.start]
        position = entry.end
        is_kept = entry.start in kept_starts
        if feed.format is not Format.JSON_FEED:
            kept_bytes = len(before) if is_kept else len(before) - len(_gap(before, feed.context))
            writer.write(before[:kept_bytes])
        elif index == 0 or (is_kept and is_list_begun):
            writer.write(before)
        if is_kept:
            writer.write_entry(entry, feed.body)
            is_list_begun = True
    writer.write(feed.body[position : feed.end] + feed.closing)
    return writer.finish(feed.context)


def merge(pings: Sequence[FatPing]) -> tuple[FatPing, int]:
    """Return one ping for as many of them as can stand in one, and how many these are (1 or more).

    It has the newest version of each entry and the newest envelope. What that envelope's own
    document has stays where it is; older entries follow behind, newest first, as feeds do.

    Args:
        pings: one or more, oldest first.
    """
    count = _mergeable(pings)
    newest = pings[count - 1]
    if count == 1:
        return newest, 1
    gap = _between(newest)
    writer = _Writer()
    position = 0
    for entry in newest.entries:
        writer.write(newest.document[position : entry.start])
        writer.write_entry(entry, newest.document)
        position = entry.end
    for entry, document in _older_entries(pings[:count]):
        writer.write(gap)
        writer.write_entry(entry, document)
    writer.write(newest.document[position:])
    return writer.finish(newest.context), count


def pack(ping: FatPing) -> bytes:
    """Return the ping as bytes: a fixed lead, a JSON header, the entries' table, the document."""
    context = ping.context
    header = json.dumps(
        {
            "format": context.format,
            "encoding": context.encoding,
            "doctype": context.doctype.decode("latin-1"),
            "around": [[element.name, element.inherited] for element in context.around],
            "is_well_formed": context.is_well_formed,
        },
        separators=(",", ":"),
    ).encode()
    table = b"".join(
        _ENTRY.pack(entry.identity, entry.fingerprint, entry.start, entry.end)
        for entry in ping.entries
    )
    lead = _LEAD.pack(0, VERSION, len(header), len(ping.entries))[_CHECKSUM_BYTES:]
    checked = b"".join((lead, header, table, ping.document))
    return zlib.crc32(checked).to_bytes(_CHECKSUM_BYTES) + checked


def unpack(data: bytes) -> FatPing:
    """Return the ping that was packed.

    Raises:
        ValueError: damaged, or written by a version that we don't know.
    """
    if len(data) < _LEAD.size:
        raise ValueError("a packed fat ping is cut off")
    checksum, version, header_bytes, entry_count = _LEAD.unpack_from(data)
    if version != VERSION:
        raise ValueError(f"a packed fat ping of unknown version {version}")
    if zlib.crc32(memoryview(data)[_CHECKSUM_BYTES:]) != checksum:
        raise ValueError("a packed fat ping is damaged")
    table_at = _LEAD.size + header_bytes
    document_at = table_at + entry_count * _ENTRY.size
    return FatPing(
        context=_read_context(data[_LEAD.size : table_at]),
        document=data[document_at:],
        entries=tuple(
            Entry(identity=identity, fingerprint=fingerprint, start=start, end=end)
            for identity, fingerprint, start, end in _ENTRY.iter_unpack(data[table_at:document_at])
        ),
    )


def _read_context(header: bytes) -> Context:
    fields = json.loads(header)
    return Context(
        format=Format(fields["format"]),
        encoding=fields["encoding"],
        doctype=fields["doctype"].encode("latin-1"),
        around=tuple(
            Surrounding(
                name=name, inherited=tuple((attribute, value) for attribute, value in inherited)
            )
            for name, inherited in fields["around"]
        ),
        # An earlier version didn't write it.
        is_well_formed=fields.get("is_well_formed", False),
    )


def _mergeable(pings: Sequence[FatPing]) -> int:
    """Return the length of the longest run that fits: equal contexts, and entries to stand by.

    What is ill-formed stands alone, or it would spoil what is not.
    """
    first = pings[0]
    count = 1
    while first.context.is_well_formed and first.entries and count < len(pings):
        ping = pings[count]
        if ping.context != first.context or not ping.entries:
            break
        count += 1
    return count


def _older_entries(pings: Sequence[FatPing]) -> Iterable[tuple[Entry, bytes]]:
    """Yield each entry that no newer ping has, with its document, newest ping first."""
    known = {entry.identity for entry in pings[-1].entries}
    for ping in reversed(pings[:-1]):
        fresh = [entry for entry in ping.entries if entry.identity not in known]
        known.update(entry.identity for entry in fresh)
        yield from ((entry, ping.document) for entry in fresh)


def _between(ping: FatPing) -> bytes:
    """Return what a further entry has before it: a comma in JSON, and white space."""
    last = ping.entries[-1]
    gap = _gap(ping.document[: last.start], ping.context)
    return b"," + gap if ping.context.format is Format.JSON_FEED else gap


def _gap(before: bytes, context: Context) -> bytes:
    return trailing_white_space(before, context.encoding)


class _Writer:
    """A document that grows, and the offsets of the entries written to it."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._length = 0
        self._entries: list[Entry] = []

    def write(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._length += len(chunk)

    def write_entry(self, entry: Entry, document: bytes) -> None:
        start = self._length
        self.write(document[entry.start : entry.end])
        self._entries.append(replace(entry, start=start, end=self._length))

    def finish(self, context: Context) -> FatPing:
        return FatPing(
            context=context, document=b"".join(self._chunks), entries=tuple(self._entries)
        )
