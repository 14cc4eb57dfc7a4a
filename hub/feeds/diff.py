"""What is news in a document, given what was seen before."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Final, NamedTuple

from hub.feeds.records import Entry, Feed, Known

# The version of what identities and fingerprints are made of. It is stored with each record: what
# other rules have made says nothing about the present document.
RULES: Final = 3
# What has left a feed's window may come back: so many records are kept in all, at the least.
MIN_RECORDS: Final = 200
RECORDS_PER_ENTRY: Final = 2
# So many documents back, an entry still tells how long the feed has been.
LATE_DOCUMENTS: Final = 50
# So many records a document may bring up to date that differ in their source alone.
SOURCES_PER_DOCUMENT: Final = 200
# A flood: so many entries are new at once, and such a part of the document, in a feed that is known
# to have had entries and, by so many documents before, to change few of them at once. A site moved,
# and gave all of them new ids.
FLOOD_ABOVE: Final = 20
FLOOD_PART: Final = 0.9
FLOOD_KNOWN_MIN: Final = 10
FLOOD_DOCUMENTS_MIN: Final = 3
# No flood where so large a part of as many entries has left at once before: a fast feed does that.
TURNOVER_PART: Final = 0.5


class Seen(NamedTuple):
    """What is remembered of an entry; a tuple, since there are hundreds for each document.

    Attributes:
        fingerprint: of its newest version.
        left_at: 0 while it is in the last document, else the number of the first one without it.
        source: what its bytes can be known by again, or empty.
        rules: the version of the rules that it was made by.
    """

    fingerprint: bytes
    left_at: int
    source: bytes = b""
    rules: int = RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """What a document changes.

    Attributes:
        news: new and changed entries in document order, each identity once.
        flood: how many entries are new where that is more than a feed brings; else 0.
        updates: records to write, by identity; only what differs from before.
        evicted: identities of records to delete.
    """

    news: tuple[Entry, ...]
    flood: int
    updates: Mapping[bytes, Seen]
    evicted: tuple[bytes, ...]


def recognisable(seen: Mapping[bytes, Seen]) -> dict[bytes, Known]:
    """Return the entries of the last document that can be known by their bytes, by their source.

    One that comes back is read anew, as hardly any does and of those that have left there are many.
    """
    return {
        record.source: Known(identity, record.fingerprint)
        for identity, record in seen.items()
        if not record.left_at and record.source and record.rules == RULES
    }


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
    updates = _present_records(feed, present, seen)
    for identity in seen.keys() - present.keys() - set(evicted):
        if not seen[identity].left_at:
            updates[identity] = seen[identity]._replace(left_at=number)
    # Where no record is by the present rules, ids may be others too: the document is adopted.
    is_adopted = bool(seen) and all(record.rules != RULES for record in seen.values())
    news = () if is_adopted else tuple(e for e in present.values() if _is_news(e, seen))
    return Diff(
        news=news,
        flood=_flood(news, present, seen, number),
        updates=updates,
        evicted=evicted,
    )


def _present_records(
    feed: Feed, present: Mapping[bytes, Entry], seen: Mapping[bytes, Seen]
) -> dict[bytes, Seen]:
    """Return the records to write of the entries that the document has."""
    updates: dict[bytes, Seen] = {}
    allowed = SOURCES_PER_DOCUMENT
    for identity, entry in present.items():
        before = seen.get(identity)
        source = feed.sources.get(identity, b"")
        if before is not None and _differ_in_source_alone(before, entry):
            if before.source == source or not allowed:
                continue
            allowed -= 1
        updates[identity] = Seen(fingerprint=entry.fingerprint, left_at=0, source=source)
    return updates


def _differ_in_source_alone(record: Seen, entry: Entry) -> bool:
    return record.fingerprint == entry.fingerprint and not record.left_at and record.rules == RULES


def _is_news(entry: Entry, seen: Mapping[bytes, Seen]) -> bool:
    record = seen.get(entry.identity)
    if record is None:
        return True
    return record.rules == RULES and record.fingerprint != entry.fingerprint


def _flood(
    news: Sequence[Entry], present: Mapping[bytes, Entry], seen: Mapping[bytes, Seen], number: int
) -> int:
    if len(seen) < FLOOD_KNOWN_MIN or number <= FLOOD_DOCUMENTS_MIN:
        return 0
    new = sum(entry.identity not in seen for entry in news)
    if new <= max(FLOOD_ABOVE, FLOOD_PART * len(present)):
        return 0
    # What an empty document has taken away tells nothing: it bears the number of the present one.
    gone = (record.left_at for record in seen.values() if 0 < record.left_at < number)
    return 0 if _left_together(gone, number) >= TURNOVER_PART * new else new


def _evict(
    present: Mapping[bytes, Entry], seen: Mapping[bytes, Seen], number: int
) -> tuple[bytes, ...]:
    absent = [(seen[identity].left_at or number, identity) for identity in seen.keys() - present]
    longest = max(len(present), _left_together((at for at, _ in absent), number))
    kept = max(RECORDS_PER_ENTRY * longest, MIN_RECORDS)
    surplus = len(present) + len(absent) - kept
    return tuple(identity for _, identity in nsmallest(surplus, absent))


def _left_together(left: Iterable[int], number: int) -> int:
    """Return how many entries left at once of late: no fewer did the feed have before.

    Args:
        left: of each that has left, the number of the first document without it.
        number: of the present one.
    """
    counts = Counter(left)
    return max((count for at, count in counts.items() if at > number - LATE_DOCUMENTS), default=0)
