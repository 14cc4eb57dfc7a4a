"""Who an entry is, from version to version.

Its id (atom:id, guid, rdf:about), else its link, else what it says. Where entries that say
different things share such a name, each of them is known by name, link and title; where they share
even these, by what they say as well. All of them, not all but the first: so nobody's identity
hangs on the order, at the price of one more delivery when such a twin first appears or goes.
"""

from collections.abc import Callable, Sequence

from hub.feeds.appearance import Draft, digest
from hub.feeds.records import Known

_Name = tuple[bytes, ...]


def plain(draft: Draft) -> Known:
    """Return who an entry is that has no twin, and what it says."""
    return Known(_identity(_plain_name(draft)), draft.fingerprint)


def twins(entries: Sequence[Known]) -> set[bytes]:
    """Return the identities under which different things are said."""
    first: dict[bytes, bytes] = {}
    return {
        entry.identity
        for entry in entries
        if first.setdefault(entry.identity, entry.fingerprint) != entry.fingerprint
    }


def identify(drafts: Sequence[Draft]) -> list[Known]:
    """Return the entries in the same order; two of equal identity say the same."""
    names = [_plain_name(draft) for draft in drafts]
    entries = _named(names, drafts)
    refinements: tuple[Callable[[_Name, Draft], _Name], ...] = (_add_link_and_title, _add_content)
    for refine in refinements:
        shared = twins(entries)
        names = [
            refine(name, draft) if entry.identity in shared else name
            for name, draft, entry in zip(names, drafts, entries, strict=True)
        ]
        entries = _named(names, drafts)
    return entries


def _named(names: Sequence[_Name], drafts: Sequence[Draft]) -> list[Known]:
    return [
        Known(identity=_identity(name), fingerprint=draft.fingerprint)
        for name, draft in zip(names, drafts, strict=True)
    ]


def _identity(name: _Name) -> bytes:
    return digest(b"\0".join(name))


def _plain_name(draft: Draft) -> _Name:
    if draft.id:
        return (b"id", draft.id)
    if draft.link:
        return (b"link", draft.link)
    return _add_content((), draft)


def _add_link_and_title(name: _Name, draft: Draft) -> _Name:
    return (*name, b"link", draft.link, b"title", draft.title)


def _add_content(name: _Name, draft: Draft) -> _Name:
    return (*name, b"content", draft.fingerprint.hex().encode())
