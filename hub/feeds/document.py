"""Bytes to entries: what a fetched document is to the hub."""

from collections.abc import Mapping
from itertools import chain

from hub.feeds.diff import Seen, recognisable
from hub.feeds.encoding import Source, offsets_in_body, read_source
from hub.feeds.entries import read_entries
from hub.feeds.json_feed import is_json, read_json_feed
from hub.feeds.records import Context, Entry, Feed, Format, Known, Opaque, Surrounding, Uncuttable
from hub.feeds.splitter import split

__all__ = [
    "Context",
    "Entry",
    "Feed",
    "Format",
    "Opaque",
    "Surrounding",
    "kind_of",
    "read_document",
]


def read_document(
    body: bytes, content_type: str, seen: Mapping[bytes, Seen] | None = None
) -> Feed | Opaque:
    """Return the document as a feed, or why it can only go out whole. Never raises.

    What the document is, its bytes say, not its Content-Type: feeds come as text/html too.

    Args:
        body: the document after content decoding; kept as it is.
        content_type: its Content-Type header, of which only the charset counts, or empty.
        seen: the topic's records, by which entries whose bytes are the same need no reading; what
            is returned is the same without them.
    """
    try:
        if is_json(body):
            return read_json_feed(body)
        return _read_xml(read_source(body, content_type), recognisable(seen or {}))
    except Uncuttable as error:
        return Opaque(reason=str(error))


def kind_of(document: Feed | Opaque) -> str:
    """Return how a topic with such a document is delivered: `feed`, `json` or `whole`."""
    match document:
        case Opaque():
            return "whole"
        case Feed(format=Format.JSON_FEED):
            return "json"
        case Feed():
            return "feed"


def _read_xml(source: Source, known: Mapping[bytes, Known]) -> Feed:
    parts = split(source)
    read = read_entries(parts, known)
    places = [parts.end, *(parts.doctype or ()), *chain.from_iterable(parts.spans)]
    in_body = offsets_in_body(source, places)
    return Feed(
        format=parts.vocabulary.format,
        context=Context(
            format=parts.vocabulary.format,
            encoding=source.encoding,
            doctype=_cut(source.body, parts.doctype, in_body),
            around=parts.around,
            is_well_formed=parts.is_well_formed,
        ),
        body=source.body,
        end=in_body[parts.end],
        closing=parts.closing.decode("utf-8", "replace").encode(source.encoding, "replace"),
        entries=tuple(
            Entry(
                identity=name.identity,
                fingerprint=name.fingerprint,
                start=in_body[start],
                end=in_body[end],
            )
            for name, (start, end) in zip(read.names, parts.spans, strict=True)
        ),
        sources=read.sources,
        hub_links=tuple(href for rel, href in parts.related if rel == "hub"),
        self_link=next((href for rel, href in parts.related if rel == "self"), None),
        fault=parts.fault,
    )


def _cut(body: bytes, span: tuple[int, int] | None, in_body: Mapping[int, int]) -> bytes:
    return body[in_body[span[0]] : in_body[span[1]]] if span else b""
