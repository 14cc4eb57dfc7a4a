"""Who an entry is, from version to version.

Its id (atom:id, guid, rdf:about), else its link, else what it says. Where entries that say
different things share such a name, each of them is known by name, link and title; where they share
even these, by what they say as well. All of them, not all but the first: so nobody's identity
hangs on the order, at the price of one more delivery when such a twin first appears or goes.
"""

from collections.abc import Sequence
from hashlib import blake2b

from hub.feeds.entry_reader import DIGEST_BYTES, Draft
from hub.feeds.records import Entry

_Name = tuple[str, ...]


def identify(drafts: Sequence[Draft]) -> tuple[Entry, ...]:
    """Return the entries in the same order; two of equal identity say the same."""
    names = [_plain_name(draft) for draft in drafts]
    for refine in (_add_link_and_title, _add_content):
        ambiguous = _ambiguous(names, drafts)
        names = [
            refine(name, draft) if name in ambiguous else name
            for name, draft in zip(names, drafts, strict=True)
        ]
    return tuple(
        Entry(
            identity=blake2b("\0".join(name).encode(), digest_size=DIGEST_BYTES).digest(),
            fingerprint=draft.fingerprint,
            start=draft.start,
            end=draft.end,
        )
        for name, draft in zip(names, drafts, strict=True)
    )


def _plain_name(draft: Draft) -> _Name:
    if draft.id:
        return ("id", draft.id)
    if draft.link:
        return ("link", draft.link)
    return _add_content((), draft)


def _add_link_and_title(name: _Name, draft: Draft) -> _Name:
    return (*name, "link", draft.link, "title", draft.title)


def _add_content(name: _Name, draft: Draft) -> _Name:
    return (*name, "content", draft.fingerprint.hex())


def _ambiguous(names: Sequence[_Name], drafts: Sequence[Draft]) -> set[_Name]:
    first: dict[_Name, bytes] = {}
    return {
        name
        for name, draft in zip(names, drafts, strict=True)
        if first.setdefault(name, draft.fingerprint) != draft.fingerprint
    }
