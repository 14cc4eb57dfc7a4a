"""What a topic says of its hubs and of itself in Link headers, read leniently (WebSub 4)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from hub.protocol.urls import normalised, url_fault, wire_form

HUBS_MAX = 10
_URL_MAX_BYTES = 2048
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ABSOLUTE = re.compile(r"https?://", re.IGNORECASE)
_LINK = re.compile(r"""<([^<>]*)>((?:"[^"]*"|'[^']*'|[^<])*)""")
# The look-behind keeps a long word from being read again from each of its letters.
_PARAMETER = re.compile(r"""(?<![\w*-])([\w*-]+)\s*=\s*(?:"([^"]*)"?|'([^']*)'?|([^\s;,"']+))""")
_SEPARATOR = re.compile(r"[\s,]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """The hubs that a topic names, each once in order, and its canonical URL if it names one."""

    hubs: tuple[str, ...]
    self_url: str | None


def read_links(headers: Sequence[str], topic: str) -> Links:
    """Return the hub and self links of a topic's answer, resolved against its URL.

    Publishers write the header in many ways, so that several lines, several relations in one
    link, missing or single quotes and any case are read. What is no http or https URL is left out.

    Args:
        headers: the values of all Link headers, in order.
        topic: the URL from which the answer came.
    """
    return gather_links((pair for header in headers for pair in _related(header)), topic)


def gather_links(related: Iterable[tuple[str, str]], topic: str) -> Links:
    """Return the links among (relation, reference) pairs, as a header, a feed or a page has them.

    Args:
        related: in order; each pair is looked at once.
        topic: what references are resolved against.
    """
    hubs: list[str] = []
    self_url: str | None = None
    # A link may name a relation thousands of times.
    for relation, reference in dict.fromkeys(related):
        if relation == "hub" and len(hubs) < HUBS_MAX:
            hub = resolved(topic, reference)
            hubs += [hub] if hub is not None and hub not in hubs else []
        elif relation == "self" and self_url is None:
            self_url = resolved(topic, reference)
    return Links(hubs=tuple(hubs), self_url=self_url)


def names_only_others(hubs: Sequence[str], own: str) -> bool:
    """Return whether a topic names hubs, and this one is not among them; naming none is fine.

    Publishers spell a hub in many ways, so that of two spellings only scheme, host, port and path
    count, these normalised, and less a slash at the end.
    """
    return bool(hubs) and _place(own) not in map(_place, hubs)


def _place(hub: str) -> tuple[str, str | None, int | None, str]:
    parts = urlsplit(normalised(wire_form(hub)))
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    return parts.scheme, parts.hostname, port, parts.path.rstrip("/")


def _related(header: str) -> Iterator[tuple[str, str]]:
    for link in _LINK.finditer(header):
        values: dict[str, str] = {}
        for name, *quoted in _PARAMETER.findall(link[2]):
            # RFC 8288 3.3: "occurrences after the first MUST be ignored by parsers".
            values.setdefault(name.lower(), "".join(quoted))
        # RFC 8288 3.2: a link with an anchor speaks of another resource.
        if "anchor" not in values:
            for relation in _SEPARATOR.split(values.get("rel", "").lower()):
                yield relation, link[1].strip()


def resolved(topic: str, reference: str) -> str | None:
    """Return the http or https URL that a reference means at a topic; None where it is none."""
    try:
        # An absolute URL is taken verbatim, since urljoin rewrites some, and subscribers compare.
        url = reference if _ABSOLUTE.match(reference) else urljoin(topic, reference)
    except ValueError:
        return None
    return None if url_fault(url.partition("#")[0], url_max_bytes=_URL_MAX_BYTES) else url
