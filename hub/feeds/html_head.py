"""What the head of an HTML page links to (WebSub 4), as a browser would see it.

Only the head counts: in the body stand readers' comments too, and whoever could name a hub there
could take over the topic. What the parser reads is bounded, and it stops where the head ends.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from hub.feeds.encoding import named_encoding

HEAD_MAX_BYTES = 512 * 1024
_SLICE_BYTES = 16 * 1024
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_LOOKS_LIKE_HTML = re.compile(rb"<(?:!doctype\s+html|html|head)\b", re.IGNORECASE)
_START_BYTES = 1024
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16le"),
    (codecs.BOM_UTF16_BE, "utf-16be"),
)
# HTML, section 13.2.6.4.4: any other start tag ends the head.
_METADATA = frozenset(
    {"base", "basefont", "bgsound", "head", "html", "link", "meta", "noframes"}
    | {"noscript", "script", "style", "template", "title"}
)
# What stands in these is no part of the page: the one is for who runs no scripts, the other inert.
_APART = frozenset({"noscript", "template"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The links of a page's head, hrefs as written.

    Attributes:
        base: of the first `<base href>`, which all links of the page are resolved against.
        related: relation, in lower case, and href; each relation of a link by itself.
    """

    base: str | None
    related: tuple[tuple[str, str], ...]


def is_html(body: bytes, content_type: str) -> bool:
    """Return whether a document is an HTML page: by its Content-Type, without one by its start."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type:
        return media_type in _HTML_TYPES
    return _LOOKS_LIKE_HTML.search(body[:_START_BYTES]) is not None


def read_head(body: bytes, content_type: str) -> Head:
    """Return what the head of a page links to, however broken the page. Never raises.

    Args:
        body: the page; of a head that is longer than HEAD_MAX_BYTES the rest is not read.
        content_type: its Content-Type header, of which only the charset counts, or empty.
    """
    base: str | None = None
    related: list[tuple[str, str]] = []
    for element in _metadata(body, _encoding(body, content_type)):
        href = (element.get("href") or "").strip()
        if href and element.tag == "link":
            rels = dict.fromkeys((element.get("rel") or "").lower().split())
            related += ((rel, href) for rel in rels)
        elif href and element.tag == "base" and base is None:
            base = href
    return Head(base=base, related=tuple(related))


def _encoding(body: bytes, content_type: str) -> str | None:
    """Return the encoding that a byte order mark or the header names; None: the page's own."""
    marked = (name for mark, name in _BYTE_ORDER_MARKS if body.startswith(mark))
    return next(marked, None) or named_encoding(content_type)


def _metadata(body: bytes, encoding: str | None) -> Iterator[etree._Element]:
    """The elements of the head, in order, less those that are apart."""
    apart = 0
    for event, element in _events(body, encoding):
        if element.tag in _APART:
            apart += 1 if event == "start" else -1
        elif apart:
            continue
        elif event == "start" and element.tag in _METADATA:
            yield element
        elif event == "start" or element.tag == "head":
            return


def _events(body: bytes, encoding: str | None) -> Iterator[tuple[str, etree._Element]]:
    parser = etree.HTMLPullParser(events=("start", "end"), encoding=encoding)
    for start in range(0, min(len(body), HEAD_MAX_BYTES), _SLICE_BYTES):
        parser.feed(body[start : start + _SLICE_BYTES])
        yield from parser.read_events()
