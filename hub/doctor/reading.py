"""What a document is, what it links to, and its entries, for the doctor to judge."""

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass

from hub.doctor.entries import EntryFacts, read_entries, read_items
from hub.doctor.json_feed import JsonFeed, read_json_feed
from hub.doctor.wellformed import XmlFault, xml_faults
from hub.feeds.discovery import advertised_links
from hub.feeds.document import Feed, Format, Opaque, read_document
from hub.feeds.html_head import is_html, read_head
from hub.protocol.links import Links, read_links

_START_BYTES = 2048
# Atomic groups, since what may stand before the root could be cut up in many ways.
_FEED_ROOT = re.compile(
    rb"(?>\s+|\xef\xbb\xbf|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\])?[^>]*>)*+"
    rb"<(?:\w+:)?(?:rss|feed|RDF)[\s>]",
    re.DOTALL,
)


class Kind(enum.StrEnum):
    """What a document is; the value is how it is called."""

    ATOM = "Atom"
    RSS = "RSS"
    RDF = "RSS 1.0"
    JSON_FEED = "JSON Feed"
    # It has the root of a feed, but a hub cannot take it apart.
    UNREADABLE_FEED = "a feed that cannot be read"
    HTML = "an HTML page"
    OTHER = "no feed"


XML_KINDS = frozenset({Kind.ATOM, Kind.RSS, Kind.RDF, Kind.UNREADABLE_FEED})
FEED_KINDS = XML_KINDS | {Kind.JSON_FEED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place where links can stand, and those of the two relations there, as written."""

    name: str
    hubs: tuple[str, ...]
    selves: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a document is and says.

    Attributes:
        links: what a hub and a subscriber go by (WebSub 4), resolved.
        places: where links were found.
        json_hubs: what a JSON Feed has under `hubs`, where nobody looks.
        xml_faults: why a strict reader would refuse it.
        entries: none where the document cannot be taken apart.
    """

    kind: Kind
    document: Feed | Opaque
    links: Links
    places: tuple[Place, ...]
    json_hubs: tuple[str, ...]
    xml_faults: tuple[XmlFault, ...]
    entries: tuple[EntryFacts, ...]


def read(body: bytes, content_type: str, link_values: Sequence[str], url: str) -> Reading:
    """Return what a document is and says. Never raises; slow on large documents.

    Args:
        body: after content decoding.
        content_type: its header, or empty.
        link_values: those of all Link headers.
        url: where it came from, after redirects.
    """
    document = read_document(body, content_type)
    json_feed = read_json_feed(body)
    kind = _kind(document, json_feed, body, content_type)
    return Reading(
        kind=kind,
        document=document,
        links=advertised_links(link_values, document, body, content_type=content_type, url=url),
        places=_places(document, body, content_type, link_values, url),
        json_hubs=json_feed.hubs if json_feed else (),
        xml_faults=xml_faults(body, content_type) if kind in XML_KINDS else (),
        entries=_entries(document, json_feed, content_type),
    )


def _kind(
    document: Feed | Opaque, json_feed: JsonFeed | None, body: bytes, content_type: str
) -> Kind:
    if isinstance(document, Feed):
        return Kind[document.format.name]
    if json_feed is not None:
        return Kind.JSON_FEED
    if _FEED_ROOT.match(body[:_START_BYTES]):
        return Kind.UNREADABLE_FEED
    return Kind.HTML if is_html(body, content_type) else Kind.OTHER


def _entries(
    document: Feed | Opaque, json_feed: JsonFeed | None, content_type: str
) -> tuple[EntryFacts, ...]:
    if json_feed is not None:
        return read_items(json_feed.items)
    return read_entries(document, content_type) if isinstance(document, Feed) else ()


def _places(
    document: Feed | Opaque, body: bytes, content_type: str, link_values: Sequence[str], url: str
) -> tuple[Place, ...]:
    in_headers = read_links(link_values, url)
    selves = (in_headers.self_url,) if in_headers.self_url else ()
    found = [Place(name="the Link header", hubs=in_headers.hubs, selves=selves)]
    if isinstance(document, Feed) and document.format is not Format.JSON_FEED:
        selves = (document.self_link,) if document.self_link else ()
        found.append(Place(name="the feed", hubs=document.hub_links, selves=selves))
    elif is_html(body, content_type):
        related = read_head(body, content_type).related
        found.append(
            Place(
                name="the head of the page",
                hubs=tuple(href for relation, href in related if relation == "hub"),
                selves=tuple(href for relation, href in related if relation == "self"),
            )
        )
    return tuple(place for place in found if place.hubs or place.selves)
