"""Link headers (RFC 8288), read as a strict client reads them."""

import re
from dataclasses import dataclass

from conformance.exchange import Exchange

_LINK = re.compile(
    r'\s*<([^>]*)>((?:\s*;\s*[^,;="\s]+(?:\s*=\s*(?:"[^"]*"|[^",;\s]*))?)*)\s*(?:,|$)'
)
_PARAMETER = re.compile(r';\s*([^,;="\s]+)(?:\s*=\s*(?:"([^"]*)"|([^",;\s]*)))?')


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link: its target as written, and its relations in lower case."""

    url: str
    rels: frozenset[str]


def links_of(delivery: Exchange) -> list[Link]:
    """Returns the links of all Link headers of a request, in order."""
    return [
        Link(url=match[1], rels=_relations(match[2]))
        for value in delivery.all_headers("Link")
        for match in _LINK.finditer(value)
    ]


def _relations(parameters: str) -> frozenset[str]:
    for match in _PARAMETER.finditer(parameters):
        if match[1].lower() == "rel":
            return frozenset((match[2] or match[3] or "").lower().split())
    return frozenset()
