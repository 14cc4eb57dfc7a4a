"""What the entries of a fat ping say, as plain text: for people, beside the source as published.

feedparser reads them, which takes milliseconds to seconds: only `description_process` calls this.
"""

import html
import io
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import feedparser
from lxml import etree
from lxml.html import document_fromstring

TITLE_MAX: Final = 300
SUMMARY_MAX: Final = 2_000
_ID_MAX = 2_048
_WEB = re.compile(r"https?://", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_WHITE_SPACE = re.compile(r"\s+")
_PLAIN = "text/plain"
_XML_TYPE = "application/xml; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What one entry says, without markup or control characters; None where it says nothing.

    Attributes:
        link: an http or https URL.
        published: ISO 8601, UTC; `updated` likewise.
    """

    id: str | None
    title: str | None
    link: str | None
    published: str | None
    updated: str | None
    summary: str | None


def describe_xml(text: str, *, count: int, url: str) -> tuple[Described, ...] | None:
    """Returns the entries of an Atom or RSS document, in its order; None if they don't tally.

    Args:
        text: the document.
        count: how many entries it has.
        url: what its references are resolved against.
    """
    headers = {"content-type": _XML_TYPE, "content-location": url}
    # A stream, since feedparser takes bytes for the name of a file as well.
    parsed = feedparser.parse(io.BytesIO(text.encode("utf-8", "replace")), response_headers=headers)
    if len(parsed.entries) != count:
        return None
    return tuple(_of_xml(entry) for entry in parsed.entries)


def describe_items(sources: Sequence[str]) -> tuple[Described, ...] | None:
    """Returns what the items of a JSON Feed say; None if one of them is none."""
    items = [json.loads(source) for source in sources]
    if not all(isinstance(item, dict) for item in items):
        return None
    return tuple(_of_item(item) for item in items)


def as_fields(described: Described) -> dict[str, str | None]:
    """Returns an entry as the schema has it, but for its source."""
    return asdict(described)


def _of_xml(entry: Mapping[str, Any]) -> Described:
    # Mapping's own get: feedparser's finds one date for another.
    own = dict(entry)
    link = _link(own.get("link"))
    summary: Mapping[str, Any] = own.get("summary_detail") or next(
        iter(own.get("content") or ()), {}
    )
    return Described(
        id=_text(own.get("id"), _ID_MAX) or link,
        title=_marked_up(own.get("title_detail") or {}, TITLE_MAX),
        link=link,
        published=_instant(own.get("published_parsed")),
        updated=_instant(own.get("updated_parsed")),
        summary=_marked_up(summary, SUMMARY_MAX),
    )


def _of_item(item: Mapping[str, Any]) -> Described:
    summary = item.get("summary") or item.get("content_text")
    of_html = item.get("content_html")
    return Described(
        id=_text(str(item.get("id") or ""), _ID_MAX),
        title=_text(item.get("title"), TITLE_MAX),
        link=_link(item.get("url")),
        published=_date(item.get("date_published")),
        updated=_date(item.get("date_modified")),
        summary=_text(summary, SUMMARY_MAX) or _without_markup(of_html, SUMMARY_MAX),
    )


def _date(value: object) -> str | None:
    try:
        date = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return _instant(date.utctimetuple()) if date.tzinfo else None


def _instant(parsed: time.struct_time | None) -> str | None:
    return None if parsed is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", parsed)


def _link(value: object) -> str | None:
    link = _text(value, _ID_MAX)
    return link if link and _WEB.match(link) else None


def _marked_up(detail: Mapping[str, Any], most: int) -> str | None:
    value = detail.get("value")
    return _text(value, most) if detail.get("type") == _PLAIN else _without_markup(value, most)


def _without_markup(value: object, most: int) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return None
    if "<" not in value:
        return _text(html.unescape(value), most)
    try:
        root = document_fromstring(_CONTROL.sub("", value))
    except (etree.LxmlError, ValueError):
        return None
    for hidden in root.iter("script", "style", "template"):
        hidden.text = None
    return _text(" ".join(root.itertext()), most)


def _text(value: object, most: int) -> str | None:
    if not isinstance(value, str):
        return None
    text = _WHITE_SPACE.sub(" ", _CONTROL.sub("", value)).strip()
    return (text if len(text) <= most else text[: most - 1] + "…") or None
