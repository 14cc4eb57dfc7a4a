"""Bytes to entries: what a fetched document is to the hub."""

from hub.feeds.encoding import find_xml
from hub.feeds.identity import identify
from hub.feeds.records import Context, Entry, Feed, Format, Opaque, Surrounding, Uncuttable
from hub.feeds.splitter import split

__all__ = [
    "Context",
    "Entry",
    "Feed",
    "Format",
    "Opaque",
    "Surrounding",
    "read_document",
]


def read_document(body: bytes, content_type: str) -> Feed | Opaque:
    """Return the document as a feed, or why it can only go out whole. Never raises.

    What the document is, its bytes say, not its Content-Type: feeds come as text/html too.

    Args:
        body: the document after content decoding; kept as it is.
        content_type: its Content-Type header, of which only the charset counts, or empty.
    """
    try:
        parts = split(body, find_xml(body, content_type))
    except Uncuttable as error:
        return Opaque(reason=str(error))
    return Feed(
        format=parts.context.format,
        context=parts.context,
        body=body,
        entries=identify(parts.drafts),
        hub_links=parts.hub_links,
        self_link=parts.self_link,
    )
