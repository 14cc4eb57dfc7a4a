"""What a topic says of its hubs and of itself, in its headers or else within (WebSub 4)."""

from collections.abc import Sequence

from hub.feeds.document import Feed, Opaque
from hub.feeds.html_head import is_html, read_head
from hub.protocol.links import Links, gather_links, read_links, resolved


def advertised_links(
    link_values: Sequence[str], document: Feed | Opaque, body: bytes, *, content_type: str, url: str
) -> Links:
    """Return the hubs that a topic names, and its canonical URL.

    WebSub 4 has embedded links looked for "In the absence of HTTP Link headers": here of each
    relation by itself, since publishers put one in a header and the other in the feed.

    Args:
        link_values: the values of all Link headers, in order.
        document: what `read_document` made of the body.
        body: the topic's content.
        content_type: its Content-Type header, or empty where it had none.
        url: where it came from, after redirects.
    """
    links = read_links(link_values, url)
    if links.hubs and links.self_url:
        return links
    inside = _embedded(document, body, content_type, url)
    return Links(hubs=links.hubs or inside.hubs, self_url=links.self_url or inside.self_url)


def _embedded(document: Feed | Opaque, body: bytes, content_type: str, url: str) -> Links:
    match document:
        case Feed():
            return _links_of_feed(document, url)
        case Opaque() if is_html(body, content_type):
            head = read_head(body, content_type)
            return gather_links(head.related, resolved(url, head.base or "") or url)
        case Opaque():
            return Links(hubs=(), self_url=None)


def _links_of_feed(feed: Feed, url: str) -> Links:
    base = url
    for element in feed.context.around:
        base = resolved(base, dict(element.inherited).get("xml:base", "")) or base
    related = [("hub", href) for href in feed.hub_links]
    related += [("self", feed.self_link)] if feed.self_link is not None else []
    return gather_links(related, base)
