"""What a document is taken apart into."""

from dataclasses import dataclass

from hub.feeds.namespaces import Scope
from hub.feeds.records import Surrounding
from hub.feeds.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A document taken apart; all offsets are into its UTF-8.

    Attributes:
        data: the document as it was read: where it is broken, not in all bytes as published.
        doctype: where the document type declaration lies, None where there is none.
        around: the elements around the entries, outermost first.
        scope: the namespaces in force there.
        spans: start and end of each entry, in order.
        end: offset behind the last of the document that can stand.
        closing: end tags that it lacks, as it was truncated.
        related: relation and href of the feed's own links, as written.
        fault: why the document isn't well-formed, or else what its format doesn't allow. None where
            all is well; the first is not asked of a document with a DTD of its own.
        is_well_formed: whether it is known to be, namespaces included.
    """

    data: bytes
    vocabulary: Vocabulary
    doctype: tuple[int, int] | None
    around: tuple[Surrounding, ...]
    scope: Scope
    spans: tuple[tuple[int, int], ...]
    end: int
    closing: bytes
    related: tuple[tuple[str, str], ...]
    fault: str | None
    is_well_formed: bool
