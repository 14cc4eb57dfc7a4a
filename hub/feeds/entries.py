"""The entries of a document that was split: who they are, and what they say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from hub.feeds.appearance import AppearanceReader
from hub.feeds.identity import identify, plain, twins
from hub.feeds.markup import without_marks
from hub.feeds.parts import Split
from hub.feeds.records import Known

SOURCE_BYTES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """What was found, in document order.

    Attributes:
        names: identity and fingerprint of each.
        sources: by identity, what the entry's bytes can be known by again.
    """

    names: Sequence[Known]
    sources: Mapping[bytes, bytes]


def read_entries(parts: Split, known: Mapping[bytes, Known]) -> Entries:
    """Return the entries of a document.

    Args:
        parts: the document, and where they lie in it.
        known: entries by the digest of their bytes, which need not be read.
    """
    data = parts.data
    sources = _digests(data, parts)
    # A document with a DTD of its own may be broken without a fault.
    is_well_formed = not parts.fault and not parts.doctype
    if not is_well_formed:
        data = without_marks(data)
    reader = AppearanceReader(parts.vocabulary, parts.scope, is_well_formed=is_well_formed)
    sourced = zip(sources, parts.spans, strict=True)
    new = (span for source, span in sourced if source not in known)
    read = map(reader.name, reader.read(data, new))
    names = [known.get(source) or plain(next(read)) for source in sources]
    shared = twins(names)
    if shared:
        names = identify([reader.names(shown) for shown in reader.read(data, parts.spans)])
    return Entries(
        names=names,
        # Which identity a twin has hangs on the others.
        sources={}
        if shared
        else dict(zip((name.identity for name in names), sources, strict=True)),
    )


def _digests(data: bytes, parts: Split) -> list[bytes]:
    # Equal bytes say the same only in equal surroundings.
    around = repr((parts.vocabulary.format, parts.around, parts.fault is None)).encode()
    key = blake2b(around, digest_size=blake2b.MAX_KEY_SIZE).digest()
    keyed = blake2b(digest_size=SOURCE_BYTES, key=key)
    digests = []
    for start, end in parts.spans:
        # Copied, since taking in the key takes as long as an entry of 128 bytes.
        source = keyed.copy()
        source.update(data[start:end])
        digests.append(source.digest())
    return digests
