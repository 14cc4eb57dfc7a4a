"""Topics: what is known of each, what pings ask for, and the one step that settles a fetch."""

import enum
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hub.feeds.diff import Seen
from hub.protocol.urls import normalised, topic_id
from hub.store.buckets import FACTS, BucketClaim, read_bucket_claim
from hub.store.commit import GroupCommit
from hub.store.event_id import EventId
from hub.store.log import Event, pack_event
from hub.store.packing import pack_list
from hub.store.results import Claimed

_DELAYS = struct.Struct(">iii")
# Rules, fingerprint, source (all zeros where there is none), and behind them when it left.
_SEEN, _LEFT = struct.Struct(">B16s8s"), struct.Struct(">B16s8sQ")
_NO_SOURCE = bytes(8)
_FEEDS = (b"feed", b"json")
# Before records told their rules: a fingerprint, and when it left.
_WITHOUT_RULES = (16, 24)
# How many things a claim of a topic is told in.
_TOLD = 15


class FetchOutcome(enum.StrEnum):
    """What a fetch came to; a released one was not made."""

    NEWS = "news"
    SAME = "same"
    FAILED = "failed"
    RELEASED = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicClaim:
    """A topic that this worker is to fetch, and what is known of it.

    Attributes:
        body_hash: of the last body; empty where there was none.
        documents: how many documents with a change the hub has read of it.
        subscriptions: how many are confirmed.
        failures: failed fetches in a row.
        is_feed: its last document was a feed.
        claimed_at_ms: when, by Redis's clock.
        mishaps: documents in a row since then that were not believed.
        mishaps_since_ms: when the first of them came; means nothing where there are none.
        is_pinged: there was a ping since its last fetch, so that news is likely.
    """

    topic_id: str
    token: str
    url: str
    etag: str
    last_modified: str
    body_hash: bytes
    documents: int
    subscriptions: int
    failures: int
    has_baseline: bool
    is_feed: bool
    claimed_at_ms: int
    mishaps: int = 0
    mishaps_since_ms: int = 0
    is_pinged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRecord:
    """All that a fetch writes, in one step.

    Attributes:
        facts: fields of the topic record that change.
        event: None where there is no news. Of a first document it is an event only if somebody is
            confirmed already (fine print 2); the store decides.
        body: the newest body, or None to keep the old one.
        seen: entries whose record changes, evicted: those to forget.
        recheck_ms: waits after the first and second fetch without news since a ping.
        retry_ms: wait after a failure; None for no further fetch. Of a released one: until it is
            due again; None for at once.
    """

    outcome: FetchOutcome
    facts: Mapping[str, str | bytes] = field(default_factory=dict)
    event: Event | None = None
    body: bytes | None = None
    seen: Mapping[bytes, Seen] = field(default_factory=dict)
    evicted: tuple[bytes, ...] = ()
    recheck_ms: tuple[int, int] = (-1, -1)
    retry_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """A fetch was settled.

    Attributes:
        event_id: of the new event, None where there is none; `before`: of the one before it.
        bucket: the topic's only bucket, claimed in the same step where nobody worked on it.
    """

    event_id: EventId | None
    before: EventId | None
    bucket: BucketClaim | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapsed:
    """The claim no longer stands, and nothing was written (invariant 5)."""


class Topics:
    """The topic records, and the work list `pinged`."""

    def __init__(self, commit: GroupCommit, *, randomness: str) -> None:
        self._commit = commit
        self._randomness = randomness
        self._claims = count()

    async def ping(self, url: str) -> int:
        """Returns how many followed topics a ping for this URL has set going, once written."""
        return int(await self._commit.call("ping", topic_id(normalised(url))))

    async def claim(self, *, limit: int) -> Claimed[TopicClaim]:
        """Returns up to `limit` topics whose fetch is due."""
        own = f"{next(self._claims)}.{self._randomness}"
        wait_ms, *flat = await self._commit.call("claim_pinged", limit, own)
        rows = (flat[at : at + _TOLD] for at in range(0, len(flat), _TOLD))
        return Claimed(wait_ms=wait_ms, claims=[_read_claim(row) for row in rows])

    async def seen(self, topic: str) -> dict[bytes, Seen]:
        """Returns what is known of a feed's entries, by their identity."""
        return unpack_all_seen(await self._commit.call("read_seen", topic))

    async def append(
        self, claim: TopicClaim, record: FetchRecord, *, is_bucket_wanted: bool
    ) -> Appended | Lapsed:
        """Settles a fetch: writes all of it, or nothing where the claim has lapsed."""
        facts = [part for pair in record.facts.items() for part in pair]
        seen = [part for key, value in record.seen.items() for part in (key, pack_seen(value))]
        retry_ms = -1 if record.retry_ms is None else record.retry_ms
        answer, event_id, before, *bucket = await self._commit.call(
            "append",
            claim.topic_id,
            claim.token,
            record.outcome.value,
            pack_list(facts),
            b"" if record.event is None else pack_event(record.event),
            record.body or b"",
            pack_list(seen),
            pack_list(record.evicted),
            _DELAYS.pack(*record.recheck_ms, retry_ms),
            self._randomness if is_bucket_wanted else "",
        )
        if answer == b"lapsed":
            return Lapsed()
        return Appended(
            event_id=EventId.parse(event_id) if event_id else None,
            before=EventId.parse(before) if before else None,
            bucket=_read_bucket(bucket) if bucket else None,
        )


def _read_bucket(flat: list[Any]) -> BucketClaim:
    own, facts, members = flat[:3], flat[3 : 3 + FACTS], flat[3 + FACTS :]
    return read_bucket_claim([*own, facts, members, b"", b""])


def _read_claim(row: Sequence[Any]) -> TopicClaim:
    (
        topic,
        token,
        claimed_at,
        url,
        etag,
        modified,
        body_hash,
        documents,
        subscriptions,
        failures,
        baseline,
        format_,
        mishaps,
        mishaps_since,
        recheck,
    ) = row
    return TopicClaim(
        topic_id=topic.decode(),
        token=token.decode(),
        url=url.decode(),
        etag=(etag or b"").decode("latin-1"),
        last_modified=(modified or b"").decode("latin-1"),
        body_hash=body_hash or b"",
        documents=int(documents or 0),
        subscriptions=int(subscriptions or 0),
        failures=int(failures or 0),
        has_baseline=bool(baseline),
        is_feed=format_ in _FEEDS,
        claimed_at_ms=int(claimed_at),
        mishaps=int(mishaps or 0),
        mishaps_since_ms=int(mishaps_since or 0),
        is_pinged=recheck == b"0",
    )


def pack_seen(seen: Seen) -> bytes:
    """Returns what is remembered of an entry as the records keep it."""
    source = seen.source or _NO_SOURCE
    if seen.left_at:
        return _LEFT.pack(seen.rules, seen.fingerprint, source, seen.left_at)
    return _SEEN.pack(seen.rules, seen.fingerprint, source)


def unpack_seen(raw: bytes) -> Seen:
    """Returns what was remembered of an entry."""
    if len(raw) in _WITHOUT_RULES:
        raw = _SEEN.pack(0, raw[:16], _NO_SOURCE) + raw[16:]
    if len(raw) == _SEEN.size:
        (rules, fingerprint, source), left_at = _SEEN.unpack(raw), 0
    else:
        rules, fingerprint, source, left_at = _LEFT.unpack(raw)
    return Seen(fingerprint, left_at, b"" if source == _NO_SOURCE else source, rules)


def unpack_all_seen(flat: Sequence[bytes]) -> dict[bytes, Seen]:
    """Returns what is known of entries, from identities and records by turns."""
    return dict(zip(flat[::2], map(unpack_seen, flat[1::2]), strict=True))
