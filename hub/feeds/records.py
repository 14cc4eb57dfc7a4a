"""What a feed is to us: an envelope, and entries as ranges of its bytes."""

import enum
from dataclasses import dataclass


class Format(enum.StrEnum):
    """The feed formats whose entries we can cut out."""

    ATOM = "atom"
    RSS = "rss"
    RDF = "rdf"


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
    """

    format: Format
    encoding: str
    doctype: bytes
    around: tuple[Surrounding, ...]


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
        entries: in document order; two of equal identity say the same.
        hub_links: hrefs of the feed's own `rel="hub"` links as written (WebSub 4).
        self_link: href of its first `rel="self"` link as written.
    """

    format: Format
    context: Context
    body: bytes
    entries: tuple[Entry, ...]
    hub_links: tuple[str, ...]
    self_link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opaque:
    """A document that goes out whole, and why it can't be cut, in a few words."""

    reason: str


class Uncuttable(Exception):
    """The document can't be cut; the message says why, in a few words."""
