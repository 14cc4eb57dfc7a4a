"""The hub and self links of a topic: headers, else Atom, RSS or HTML (WebSub 4)."""

import re
from collections.abc import Iterator
from urllib.parse import urljoin

from lxml import etree, html

from tests.conformance.defective.wire import Headers

_LINK = re.compile(r"""<([^<>]*)>((?:"[^"]*"|'[^']*'|[^<"'])*)""")
_REL = re.compile(r"""(?:^|[;\s])rel\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;,"']+))""", re.IGNORECASE)
_ATOM_LINK = "{http://www.w3.org/2005/Atom}link"
_RSS_CHANNELS = ("channel", "{http://purl.org/rss/1.0/}channel")

Related = tuple[str, str]


def header_links(headers: Headers) -> list[Related]:
    """Returns (relation, reference) pairs of all Link headers, in order."""
    pairs = []
    for name, value in headers:
        for reference, parameters in _LINK.findall(value) if name == "link" else ():
            match = _REL.search(parameters)
            words = (match[1] or match[2] or match[3] or "") if match else ""
            pairs += [(word.lower(), reference.strip()) for word in words.split()]
    return pairs


def body_links(body: bytes, content_type: str) -> list[Related]:
    """Returns (relation, reference) pairs of a feed's own links, or of a page's head."""
    media_type = content_type.partition(";")[0].strip().lower()
    try:
        if media_type == "text/html":
            elements = iter(html.document_fromstring(body).xpath("//head//link[@rel][@href]"))
        elif media_type.endswith("xml"):
            elements = _feed_links(body)
        else:
            return []
        return [
            (word.lower(), element.get("href", "").strip())
            for element in elements
            for word in (element.get("rel") or "").split()
        ]
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return []


def _feed_links(body: bytes) -> Iterator[etree._Element]:
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True)
    # Of a document that cannot be recovered nothing is left.
    root: etree._Element | None = etree.fromstring(body, parser)
    if root is None:
        return
    if etree.QName(root).localname == "html":
        yield from root.iter("{http://www.w3.org/1999/xhtml}link")
    yield from root.iterchildren(_ATOM_LINK)
    for channel in root.iterchildren(*_RSS_CHANNELS):
        yield from channel.iterchildren(_ATOM_LINK)


def resolved(topic: str, reference: str) -> str:
    """Returns an absolute URL: as it is written where it is one already."""
    return reference if reference.startswith(("http://", "https://")) else urljoin(topic, reference)
