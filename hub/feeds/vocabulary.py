"""Which elements mean what in each format: tables over expanded names (`{namespace}local`)."""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from hub.feeds.records import Format, Uncuttable

ATOM = "{http://www.w3.org/2005/Atom}"
ATOM_LINK = f"{ATOM}link"

# Atom before RFC 4287, 0.3 and the drafts after it; some publishers forget the namespace.
_ATOM_0_3 = "{http://purl.org/atom/ns#}"
_EARLY_ATOM = "{http://purl.org/atom/ns#"
_DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"
_DUBLIN_CORE_TERMS = "{http://purl.org/dc/terms/}"
_GOOGLE_DATA = "{http://schemas.google.com/g/2005}"
_MEDIA = "{http://search.yahoo.com/mrss/}"
_PUBLISHING = "{http://www.w3.org/2007/app}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_SLASH = "{http://purl.org/rss/1.0/modules/slash/}"
_THREADING = "{http://purl.org/syndication/thread/1.0}"
_RDF_CORES = (
    "{http://purl.org/rss/1.0/}",
    "{http://my.netscape.com/rdf/simple/0.9/}",
    "{http://channel.netscape.com/rdf/simple/0.9/}",
)
# RSS 0.90 and early 1.0 feeds leave the prefix out.
_RDF_IDS = (f"{_RDF}about", "about")


class Role(enum.StrEnum):
    """What an element inside an entry is good for, beside being seen."""

    ID = enum.auto()
    LINK = enum.auto()
    TITLE = enum.auto()
    SILENT = enum.auto()


_ATOM_DATES = ("updated", "published", "modified", "issued", "created")
# No news. Dates: generators restamp them at each build, on entries nobody touched.
_DATES = (
    *(f"{core}{name}" for core in (ATOM, _ATOM_0_3) for name in _ATOM_DATES),
    f"{_DUBLIN_CORE}date",
    *(
        f"{_DUBLIN_CORE_TERMS}{name}"
        for name in ("available", "created", "date", "issued", "modified", "valid")
    ),
    f"{_PUBLISHING}edited",
)
_RSS_DATES = ("pubDate", "lastBuildDate")
# No news. Counters: they move with every visitor or comment.
_COUNTERS = (
    f"{_SLASH}comments",
    f"{_SLASH}hit_parade",
    f"{_THREADING}total",
    f"{_MEDIA}statistics",
    f"{_MEDIA}starRating",
)
SILENT_ATTRIBUTES = frozenset(
    (
        f"{_THREADING}count",
        f"{_THREADING}updated",
        f"{_THREADING}when",
        f"{_GOOGLE_DATA}etag",
    )
)


# Feeds have half a dozen in all; a stranger may think of others.
KEPT = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vocabulary:
    """The names that matter in one document; equal to itself alone, so that it can be a key.

    Attributes:
        entries: what an entry is called.
        channels: what the element around them is called; empty where that is the root.
        id_attributes: the attributes of an entry's own tag that identify it.
        roles: the elements inside an entry that identify it or are no news.
        links: the elements of the feed itself that name its hubs and its own URL.
    """

    format: Format
    entries: frozenset[str]
    channels: frozenset[str]
    id_attributes: frozenset[str]
    roles: Mapping[str, Role]
    links: frozenset[str]


@lru_cache(maxsize=KEPT)
def vocabulary_of(root: str) -> Vocabulary:
    """Return the vocabulary of a document by the expanded name of its root.

    Raises:
        Uncuttable: the root is of no feed we know.
    """
    core, _, local = root.rpartition("}")
    if local == "feed" and _is_atom(f"{core}}}"):
        return _vocabulary(
            Format.ATOM, entry="entry", channel=None, cores=(root.removesuffix("feed"),)
        )
    if root == f"{_RDF}RDF":
        return _vocabulary(Format.RDF, entry="item", channel="channel", cores=_RDF_CORES)
    if local.lower() == "rss":
        # RSS 2.0 has no namespace, but some publishers give it one: it is whatever the root has.
        cores = (f"{core}}}",) if core else ("",)
        return _vocabulary(Format.RSS, entry="item", channel="channel", cores=cores)
    raise Uncuttable(f"root element {root[:60]!r}")


@lru_cache(maxsize=KEPT)
def in_any_case(vocabulary: Vocabulary) -> Vocabulary:
    """Return the same for a document that writes ITEM or Item, to XML another name than item."""
    return replace(
        vocabulary,
        entries=frozenset(one for name in vocabulary.entries for one in _cases(name)),
        channels=frozenset(one for name in vocabulary.channels for one in _cases(name)),
        roles={one: role for name, role in vocabulary.roles.items() for one in _cases(name)},
    )


def _cases(name: str) -> Iterator[str]:
    core, bracket, local = name.rpartition("}")
    first = local[0].upper()
    for written in (local, local.lower(), local.upper(), first + local[1:], local.capitalize()):
        yield f"{core}{bracket}{written}"


def _is_atom(namespace: str) -> bool:
    written = namespace.lower().replace("https:", "http:")
    return namespace == "}" or written == ATOM.lower() or written.startswith(_EARLY_ATOM)


def _vocabulary(
    format_: Format, *, entry: str, channel: str | None, cores: tuple[str, ...]
) -> Vocabulary:
    id_name = {Format.ATOM: "id", Format.RSS: "guid"}.get(format_)
    named = {id_name: Role.ID, "link": Role.LINK, "title": Role.TITLE}
    roles = dict.fromkeys((*_DATES, *_COUNTERS), Role.SILENT)
    for core in cores:
        if format_ is Format.ATOM:
            roles |= dict.fromkeys((f"{core}{name}" for name in _ATOM_DATES), Role.SILENT)
        roles |= {f"{core}{name}": role for name, role in named.items() if name}
        if format_ is not Format.ATOM:
            roles |= {f"{core}{name}": Role.SILENT for name in _RSS_DATES}
    return Vocabulary(
        format=format_,
        entries=frozenset(f"{core}{entry}" for core in cores),
        channels=frozenset(f"{core}{channel}" for core in cores if channel),
        id_attributes=frozenset(_RDF_IDS if format_ is Format.RDF else ()),
        roles=roles,
        links=frozenset((ATOM_LINK, *(f"{core}link" for core in cores if format_ is Format.ATOM))),
    )
