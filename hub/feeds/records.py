"""What a feed is to us: an envelope, and entries as ranges of its bytes."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

# Each costs Python some microseconds, and a record in Redis; no feed comes near.
MAX_ENTRIES: Final = 20_000


class Format(enum.StrEnum):
    """The feed formats whose entries we can cut out."""

    ATOM = "atom"
    RSS = "rss"
    RDF = "rdf"
    JSON_FEED = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surrounding:
    """An element around the entries, and what they inherit from it.

    Attributes:
        name: expanded, in Clark notation: `{namespace}local`.
        inherited: its `xmlns`, `xmlns:*` and `xml:*` attributes as written, sorted.
    """

    name: str
    inherited: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What must be equal for entries of two documents to stand in one.

    Attributes:
        encoding: what the bytes were read as, one spelling per encoding.
        doctype: the document type declaration as written, or empty.
        around: the elements around the entries, outermost first.
        is_well_formed: whether the document was known to be, namespaces included; an entry of one
            that wasn't could spoil another.
    """

    format: Format
    encoding: str
    doctype: bytes
    around: tuple[Surrounding, ...]
    is_well_formed: bool


class Known(NamedTuple):
    """An entry of which one knows who it is and what it says, but not where it stands.

    A tuple, for speed: there is one for each entry of each document.
    """

    identity: bytes
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a document: who it is, what it says, and where its bytes lie.

    Attributes:
        identity: 16 bytes, equal for all versions of the entry.
        fingerprint: 16 bytes, equal while a reader would see the same.
        start: offset of its first byte in the document.
        end: offset behind its last byte.
    """

    identity: bytes
    fingerprint: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A document that can be cut.

    Attributes:
        end: offset behind what can stand of the body; its length, but of a truncated document.
        closing: end tags that a truncated document lacks.
        entries: in document order; two of equal identity say the same.
        sources: by identity, a digest that is equal while the entry's bytes are; of some entries.
        hub_links: hrefs of the feed's own `rel="hub"` links as written (WebSub 4).
        self_link: href of its first `rel="self"` link as written.
        fault: why it is not well-formed, or what its format does not allow; None where all is well.
    """

    format: Format
    context: Context
    body: bytes
    end: int
    closing: bytes
    entries: tuple[Entry, ...]
    sources: Mapping[bytes, bytes]
    hub_links: tuple[str, ...]
    self_link: str | None
    fault: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opaque:
    """A document that goes out whole, and why it can't be cut, in a few words."""

    reason: str


class Uncuttable(Exception):
    """The document can't be cut; the message says why, in a few words."""
