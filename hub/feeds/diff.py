"""What is news in a document, given what was seen before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hub.feeds.records import Entry, Feed

# What has left a feed's window may come back: so many records are kept in all, at the least.
MIN_RECORDS: Final = 200
RECORDS_PER_ENTRY: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is remembered of an entry.

    Attributes:
        fingerprint: of its newest version.
        left_at: 0 while it is in the last document, else the number of the first one without it.
    """

    fingerprint: bytes
    left_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """What a document changes.

    Attributes:
        news: new and changed entries in document order, each identity once.
        updates: records to write, by identity; only what differs from before.
        evicted: identities of records to delete.
    """

    news: tuple[Entry, ...]
    updates: Mapping[bytes, Seen]
    evicted: tuple[bytes, ...]


def diff(feed: Feed, seen: Mapping[bytes, Seen], *, number: int) -> Diff:
    """Return what is new or changed, and what is to be remembered.

    Args:
        feed: the newest document.
        seen: all records of the topic, by identity; not changed.
        number: the ordinal of this document, greater than 0 and than all before.
    """
    present: dict[bytes, Entry] = {}
    for entry in feed.entries:
        present.setdefault(entry.identity, entry)
    evicted = _evict(present, seen, number)
    records = {
        identity: Seen(fingerprint=entry.fingerprint, left_at=0)
        for identity, entry in present.items()
    }
    for identity in seen.keys() - present.keys() - set(evicted):
        records[identity] = _absent(seen[identity], number)
    return Diff(
        news=tuple(entry for entry in present.values() if _is_news(entry, seen)),
        updates={
            identity: record for identity, record in records.items() if seen.get(identity) != record
        },
        evicted=evicted,
    )


def _is_news(entry: Entry, seen: Mapping[bytes, Seen]) -> bool:
    record = seen.get(entry.identity)
    return record is None or record.fingerprint != entry.fingerprint


def _absent(record: Seen, number: int) -> Seen:
    return record if record.left_at else Seen(fingerprint=record.fingerprint, left_at=number)


def _evict(
    present: Mapping[bytes, Entry], seen: Mapping[bytes, Seen], number: int
) -> tuple[bytes, ...]:
    absent = seen.keys() - present.keys()
    kept = max(RECORDS_PER_ENTRY * len(present), MIN_RECORDS)
    surplus = len(present) + len(absent) - kept
    if surplus <= 0:
        return ()
    oldest_first = sorted(absent, key=lambda identity: (seen[identity].left_at or number, identity))
    return tuple(oldest_first[:surplus])
