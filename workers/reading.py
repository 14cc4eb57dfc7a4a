"""What the answer to a fetch means: a record to write, decided without touching anything."""

import hashlib
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from hub.feeds.diff import FLOOD_ABOVE, Diff, Seen, diff
from hub.feeds.discovery import advertised_links
from hub.feeds.document import Feed, Format, Opaque, read_document
from hub.feeds.fat_ping import cut
from hub.outbound.request import Answer, NoAnswer, Reason
from hub.protocol.retry import fetch_delay_s
from hub.protocol.urls import normalised, topic_id
from hub.store.log import EntriesEvent, WholeEvent
from hub.store.topics import FetchOutcome, FetchRecord, TopicClaim
from workers.slow import REST_MS

# After a ping without news: publishers ping before their own cache is purged (design section 6).
RECHECK_MS = (10_000, 60_000)
# Failures in a row: 10 s, 1, 5, 30 min, then hourly; after these, 7 days are over.
FAILURES_MAX = 4 + 7 * 24
# A feed that turns into something else is a mishap until it has been so this often in a row.
MISHAPS_BELIEVED_AFTER = 4
# A second change within the same second keeps Last-Modified, and often the ETag made of it.
YOUNG_S = 2
# What a stranger is told: not which address a name has, which would make the hub an oracle.
REFUSAL = "The topic's address is not open to this hub."
DEFAULT_CONTENT_TYPE = "application/octet-stream"


def fingerprint(body: bytes) -> bytes:
    """Returns 16 bytes that tell whether a body changed."""
    return hashlib.blake2b(body, digest_size=16).digest()


def is_changed(claim: TopicClaim, answer: Answer) -> bool:
    """Returns whether the answer brings a body other than the last one."""
    is_whole = answer.status == 200 and bool(answer.body)
    return is_whole and fingerprint(answer.body) != claim.body_hash


def judge_fetch(
    claim: TopicClaim, answer: Answer | NoAnswer, seen: Mapping[bytes, Seen]
) -> FetchRecord:
    """Returns what a fetch is to write.

    Args:
        claim: the topic as it was before.
        answer: of the fetch.
        seen: the topic's entries as known; only looked at where `is_changed`.
    """
    if isinstance(answer, NoAnswer):
        return _no_answer(claim, answer)
    match answer.status:
        case 304 if claim.has_baseline:
            return FetchRecord(
                outcome=FetchOutcome.SAME, facts={"outcome": "unchanged"}, recheck_ms=RECHECK_MS
            )
        case 200 if answer.body:
            return _read(claim, answer, seen)
        case 200:
            return failed(claim, "empty body")
        case status:
            return failed(claim, f"status {status}")


def _no_answer(claim: TopicClaim, answer: NoAnswer) -> FetchRecord:
    match answer.reason:
        case Reason.STOPPED:
            return FetchRecord(outcome=FetchOutcome.RELEASED)
        case Reason.NOT_STARTED:
            return FetchRecord(outcome=FetchOutcome.RELEASED, retry_ms=REST_MS)
        case Reason.ADDRESS_BLOCKED | Reason.BAD_URL:
            return failed(claim, answer.detail, {"refused": REFUSAL})
        case _:
            return failed(claim, answer.detail)


def failed(claim: TopicClaim, outcome: str, facts: Mapping[str, str] | None = None) -> FetchRecord:
    """Returns what a fetch writes that came to nothing, and why."""
    failures = claim.failures + 1
    retry_ms = round(fetch_delay_s(failures) * 1000) if failures < FAILURES_MAX else None
    return FetchRecord(
        outcome=FetchOutcome.FAILED,
        facts={"outcome": outcome, **(facts or {})},
        retry_ms=retry_ms,
    )


def _read(claim: TopicClaim, answer: Answer, seen: Mapping[bytes, Seen]) -> FetchRecord:
    content_type = _header(answer, "content-type") or DEFAULT_CONTENT_TYPE
    body_hash = fingerprint(answer.body)
    if claim.has_baseline and body_hash == claim.body_hash:
        return FetchRecord(
            outcome=FetchOutcome.SAME,
            facts={**_validators(answer), "outcome": "unchanged", "mishaps": "0"},
            recheck_ms=RECHECK_MS,
        )
    document = read_document(answer.body, content_type, seen)
    match document:
        case Opaque(reason=reason):
            if claim.is_feed and claim.mishaps < MISHAPS_BELIEVED_AFTER:
                count = {"mishaps": str(claim.mishaps + 1)}
                return failed(claim, f"was a feed, now is not: {reason}", count)
            return FetchRecord(
                outcome=FetchOutcome.NEWS,
                facts=_facts(claim, answer, body_hash, content_type, document),
                event=WholeEvent(content_type=content_type),
                body=answer.body,
            )
        case Feed():
            changes = diff(document, seen, number=claim.documents + 1)
            if changes.flood and claim.mishaps < MISHAPS_BELIEVED_AFTER:
                count = {"mishaps": str(claim.mishaps + 1)}
                return failed(claim, f"{changes.flood} entries are new at once", count)
            event = _feed_event(claim, document, changes, content_type)
            return FetchRecord(
                outcome=FetchOutcome.SAME if event is None else FetchOutcome.NEWS,
                facts=_facts(claim, answer, body_hash, content_type, document),
                event=event,
                body=document.body,
                seen=changes.updates,
                evicted=changes.evicted,
                recheck_ms=RECHECK_MS,
            )


def _feed_event(
    claim: TopicClaim, feed: Feed, changes: Diff, content_type: str
) -> EntriesEvent | WholeEvent | None:
    if changes.news and feed.format is Format.JSON_FEED:
        # WebSub 7 lets a hub leave out delivered entries of Atom and RSS only.
        return WholeEvent(content_type=content_type)
    if changes.news:
        # A flood that lasts is believed, and still bounded; the rest is taken as delivered.
        news = changes.news[:FLOOD_ABOVE] if changes.flood else changes.news
        return EntriesEvent(content_type=content_type, ping=cut(feed, news))
    # A first document is always offered as an event; the store decides (fine print 2).
    return None if claim.has_baseline else WholeEvent(content_type=content_type)


def _facts(
    claim: TopicClaim,
    answer: Answer,
    body_hash: bytes,
    content_type: str,
    document: Feed | Opaque,
) -> dict[str, str | bytes]:
    links = advertised_links(
        [value for name, value in answer.headers if name == "link"],
        document,
        answer.body,
        content_type=_header(answer, "content-type"),
        url=answer.url,
    )
    return {
        **_validators(answer),
        "mishaps": "0",
        "content_type": content_type.encode("latin-1", "replace"),
        "body_hash": body_hash,
        "documents": str(claim.documents + 1),
        "hubs": "\n".join(links.hubs),
        "self": links.self_url or "",
        "self_key": _key(links.self_url) if links.self_url else "",
        "format": "feed" if isinstance(document, Feed) else "whole",
        "outcome": _told(document),
    }


def _told(document: Feed | Opaque) -> str:
    match document:
        case Opaque(reason=reason):
            return f"read whole: {reason}"
        case Feed(fault=None):
            return "read"
        case Feed(fault=fault):
            return f"read, though {fault}"


def _key(self_url: str) -> str:
    """What a ping of the topic's own URL goes by: topics have no fragments."""
    return topic_id(normalised(self_url.partition("#")[0]))


def _validators(answer: Answer) -> dict[str, str | bytes]:
    etag, modified = _header(answer, "etag"), _header(answer, "last-modified")
    if _is_young(modified, _header(answer, "date")):
        etag = modified = ""
    return {"etag": etag.encode("latin-1"), "last_modified": modified.encode("latin-1")}


def _is_young(modified: str, date: str) -> bool:
    try:
        age = parsedate_to_datetime(date) - parsedate_to_datetime(modified)
    except (ValueError, TypeError, OverflowError):
        return False
    return age.total_seconds() < YOUNG_S


def _header(answer: Answer, name: str) -> str:
    return next((value for key, value in answer.headers if key == name), "")
