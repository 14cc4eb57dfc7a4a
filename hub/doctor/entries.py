"""What each entry of a feed says of itself: its id, its dates, its size."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from lxml import etree

from hub.feeds.encoding import read_source
from hub.feeds.records import Feed, Format

_ATOM = "{http://www.w3.org/2005/Atom}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_ID_NAMES = {Format.ATOM: "id", Format.RSS: "guid", Format.RDF: "", Format.JSON_FEED: "id"}
_DATES = frozenset({"updated", "published", "pubDate", "date", "modified", "issued", "created"})
_ITEM_DATES = ("date_modified", "date_published")
_SHORT_DATE = re.compile(r"(\d{4})(?:-(\d{2}))?")
_TITLE_MAX = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFacts:
    """What an entry says of itself.

    Attributes:
        id: empty where it has none.
        is_permalink: the id claims to be an address (RSS: no isPermaLink="false").
        title: cut where it is long; empty where it has none.
        dates: as written.
        line: where it stands in the document; 0 where that is not known.
    """

    id: str
    is_permalink: bool
    title: str
    dates: tuple[str, ...]
    line: int
    size_bytes: int

    @property
    def name(self) -> str:
        """Return what a publisher will know it by."""
        return self.title or self.id or (f"line {self.line}" if self.line else "without a title")


def read_entries(feed: Feed, content_type: str) -> tuple[EntryFacts, ...]:
    """Return the entries in document order; sizes are those of their bytes."""
    source = read_source(feed.body, content_type)
    # Nothing is fetched or expanded; `recover` takes what strict namespaces would refuse.
    parser = etree.XMLParser(
        encoding="utf-8", recover=True, resolve_entities=False, no_network=True
    )
    try:
        root = etree.fromstring(source.data[source.start :], parser)
    except etree.XMLSyntaxError:
        return ()
    first_line = source.data.count(b"\n", 0, source.start)
    elements = [element for element in root.iter() if _is_entry(element, feed.format)]
    sizes = [entry.end - entry.start for entry in feed.entries]
    return tuple(
        _facts(element, _ID_NAMES[feed.format], size_bytes, first_line)
        for element, size_bytes in zip(elements, sizes, strict=False)
    )


def _is_entry(element: etree._Element, format_: Format) -> bool:
    if format_ is Format.ATOM:
        parent = element.getparent()
        return element.tag == f"{_ATOM}entry" and parent is not None and parent.getparent() is None
    return _parted(element)[1] == "item"


def _parted(element: etree._Element) -> tuple[str, str]:
    """Return namespace and local name, where a prefix that nobody declared counts as one."""
    # Comments and processing instructions have no name. Not etree.QName, which refuses some names.
    tag = element.tag if isinstance(element.tag, str) else ""
    namespace, _, local = tag.rpartition("}" if tag.startswith("{") else ":")
    return namespace, local


def _facts(element: etree._Element, id_name: str, size_bytes: int, first_line: int) -> EntryFacts:
    own: dict[str, etree._Element] = {}
    dates: list[str] = []
    namespace, _ = _parted(element)
    for child in element:
        where, name = _parted(child)
        if name in _DATES and _text(child):
            dates.append(_text(child))
        if where == namespace:
            own.setdefault(name, child)
    named, title = own.get(id_name), own.get("title")
    about = element.get(f"{_RDF}about") or element.get("about") or ""
    return EntryFacts(
        id=about.strip() if named is None else _text(named),
        is_permalink=id_name == "guid" and _claims_permalink(named),
        title="" if title is None else _text(title)[:_TITLE_MAX],
        dates=tuple(dates),
        line=first_line + (element.sourceline or 0),
        size_bytes=size_bytes,
    )


def _text(element: etree._Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _claims_permalink(guid: etree._Element | None) -> bool:
    return guid is not None and guid.get("isPermaLink", "true").strip().lower() != "false"


def read_items(items: Sequence[Mapping[str, Any]]) -> tuple[EntryFacts, ...]:
    """Return the items of a JSON Feed as entries."""
    return tuple(
        EntryFacts(
            id=str(item.get("id") or ""),
            is_permalink=False,
            title=str(item.get("title") or "")[:_TITLE_MAX],
            dates=tuple(str(item[name]) for name in _ITEM_DATES if item.get(name)),
            line=0,
            size_bytes=len(str(item).encode("utf-8", "replace")),
        )
        for item in items
    )


def instant_s(date: str) -> float | None:
    """Return a date of a feed in seconds since 1970, None where it cannot be read."""
    short = _SHORT_DATE.fullmatch(date)
    try:
        if short:
            at = datetime(int(short[1]), int(short[2] or 1), 1, tzinfo=UTC)
        else:
            at = _full_date(date)
        # A date without a zone is taken for UTC.
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _full_date(date: str) -> datetime:
    try:
        return datetime.fromisoformat(date)
    except ValueError:
        return parsedate_to_datetime(date)
