"""The entries of a document that was split: who they are, and what they say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from hub.feeds.appearance import AppearanceReader, Draft
from hub.feeds.identity import identify, plain, twins
from hub.feeds.markup import without_marks
from hub.feeds.records import Known
from hub.feeds.splitter import Split

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


def read_entries(data: bytes, parts: Split, known: Mapping[bytes, Known]) -> Entries:
    """Return the entries of a document.

    Args:
        data: the document in UTF-8, or nearly.
        parts: where they lie in it.
        known: entries by the digest of their bytes, which need not be read.
    """
    sources = _digests(data, parts)
    if parts.fault:
        data = without_marks(data)
    reader = AppearanceReader(parts.vocabulary, parts.scope)
    found = [
        known.get(digest) or reader.read(data, start, end)
        for digest, (start, end) in zip(sources, parts.spans, strict=True)
    ]
    names = [one if isinstance(one, Known) else plain(one) for one in found]
    shared = twins(names)
    if shared:
        drafts = [
            one if isinstance(one, Draft) else reader.read(data, start, end)
            for one, (start, end) in zip(found, parts.spans, strict=True)
        ]
        names = identify(drafts)
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
    return [
        blake2b(data[start:end], digest_size=SOURCE_BYTES, key=key).digest()
        for start, end in parts.spans
    ]
