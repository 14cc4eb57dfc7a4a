"""docs/feeds.md says what is no news: the same as the tables by which it is decided."""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from hub.feeds.diff import (
    FLOOD_ABOVE,
    FLOOD_DOCUMENTS_MIN,
    FLOOD_KNOWN_MIN,
    FLOOD_PART,
    MIN_RECORDS,
    RECORDS_PER_ENTRY,
    TURNOVER_PART,
)
from hub.feeds.namespaces import MAX_PREFIXES, MAX_URI_BYTES
from hub.feeds.records import MAX_ENTRIES
from hub.feeds.splitter import MAX_DEPTH, MAX_TAG_BYTES, MAX_TAGS_AROUND
from hub.feeds.vocabulary import SILENT_ATTRIBUTES, Role, vocabulary_of

PAGE = (Path(__file__).parents[2] / "docs" / "feeds.md").read_text()
ROOTS = (
    "{http://www.w3.org/2005/Atom}feed",
    "{http://purl.org/atom/ns#}feed",
    "rss",
    "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}RDF",
)


def table(names: Iterable[str]) -> list[str]:
    """The rows of a table of expanded names, by their namespace."""
    by_namespace: defaultdict[str, set[str]] = defaultdict(set)
    for name in names:
        namespace, _, local = name.rpartition("}")
        by_namespace[namespace.removeprefix("{") or "none"].add(f"`{local}`")
    return [
        f"| {namespace} | {', '.join(sorted(local_names))} |"
        for namespace, local_names in sorted(by_namespace.items())
    ]


def told(title: str) -> list[str]:
    found = re.search(rf"<!-- {title} -->\n.*\n.*\n((?:\|.*\n)*)<!-- end -->", PAGE)
    assert found is not None
    return found[1].splitlines()


def test_the_page_tells_all_elements_that_are_no_news() -> None:
    roles = [item for root in ROOTS for item in vocabulary_of(root).roles.items()]
    assert told("silent elements") == table(name for name, role in roles if role is Role.SILENT)


def test_the_page_tells_all_attributes_that_are_no_news() -> None:
    assert told("silent attributes") == table(SILENT_ATTRIBUTES)


def test_the_page_tells_the_limits_that_hold() -> None:
    assert (FLOOD_ABOVE, FLOOD_PART, FLOOD_KNOWN_MIN, FLOOD_DOCUMENTS_MIN) == (20, 0.9, 10, 3)
    assert (TURNOVER_PART, RECORDS_PER_ENTRY, MIN_RECORDS) == (0.5, 2, 200)
    for row in (
        f"| entries of a document | {MAX_ENTRIES:,} |",
        f"| tags around the entries | {MAX_TAGS_AROUND:,}, each of {MAX_TAG_BYTES // 1024} kB |",
        f"| depth around the entries | {MAX_DEPTH} |",
        f"| namespace prefixes | {MAX_PREFIXES} |",
        f"| namespace name | {MAX_URI_BYTES} bytes |",
    ):
        assert row in PAGE
