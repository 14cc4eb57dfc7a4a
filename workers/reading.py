"""What the answer to a fetch means: a record to write, decided without touching anything."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from email.utils import parsedate_to_datetime

from hub.feeds.diff import FLOOD_ABOVE, Diff, Seen, diff
from hub.feeds.discovery import advertised_links
from hub.feeds.document import Feed, Opaque, kind_of, read_document
from hub.feeds.fat_ping import cut
from hub.feeds.records import Entry
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
# What feeds hardly turn into (a page, nothing, all new ids) is a mishap until it came this often in
# a row and for this long: four pings come within seconds, and what a new release of a site breaks
# is mostly mended within the hour. The retry of failed fetches gets there after 96 minutes.
MISHAPS_BELIEVED_AFTER = 4
MISHAPS_BELIEVED_AFTER_MS = 3_600_000
# A second change within the same second keeps Last-Modified, and often the ETag made of it.
YOUNG_S = 2
# What a stranger is told: not which address a name has, which would make the hub an oracle.
REFUSAL = "The topic's address is not open to this hub."
DEFAULT_CONTENT_TYPE = "application/octet-stream"


def fingerprint(body: bytes) -> bytes:
    """Returns 16 bytes that tell whether a body changed."""
    return hashlib.blake2b(body, digest_size=16).digest()


def is_changed(claim: TopicClaim, answer: Answer, body_hash: bytes) -> bool:
    """Returns whether the answer brings a body other than the last one."""
    is_whole = answer.status == 200 and bool(answer.body)
    return is_whole and body_hash != claim.body_hash


def judge_fetch(
    claim: TopicClaim, answer: Answer | NoAnswer, body_hash: bytes, seen: Mapping[bytes, Seen]
) -> FetchRecord:
    """Returns what a fetch is to write.

    Args:
        claim: the topic as it was before.
        answer: of the fetch.
        body_hash: the fingerprint of its body.
        seen: the topic's entries as known; only looked at where `is_changed`.
    """
    if isinstance(answer, NoAnswer):
        return _no_answer(claim, answer)
    match answer.status:
        case 304 if claim.has_baseline:
            return _unchanged({})
        case 200 if answer.body and claim.has_baseline and body_hash == claim.body_hash:
            return _unchanged(_validators(answer))
        case 200 if answer.body:
            return _read(claim, answer, body_hash, seen)
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
    return FetchRecord(
        outcome=FetchOutcome.FAILED,
        facts={"outcome": outcome, **(facts or {})},
        retry_ms=_retry_ms(claim) if claim.failures + 1 < FAILURES_MAX else None,
    )


def _retry_ms(claim: TopicClaim) -> int:
    return round(fetch_delay_s(claim.failures + 1) * 1000)


def _unchanged(facts: Mapping[str, str | bytes]) -> FetchRecord:
    return FetchRecord(
        outcome=FetchOutcome.SAME,
        facts={**facts, "outcome": "unchanged", "mishaps": "0"},
        recheck_ms=RECHECK_MS,
    )


def _mishap(claim: TopicClaim, strange: str | None) -> FetchRecord | None:
    """Returns what is written of what is not believed yet; None where nothing is strange."""
    if strange is None:
        return None
    since_ms = claim.mishaps_since_ms if claim.mishaps else 0
    # Of a version that wrote no time, or from before the clock went back.
    if not 0 < since_ms <= claim.claimed_at_ms:
        since_ms = claim.claimed_at_ms
    is_old = claim.claimed_at_ms - since_ms >= MISHAPS_BELIEVED_AFTER_MS
    if is_old and claim.mishaps >= MISHAPS_BELIEVED_AFTER:
        return None
    return FetchRecord(
        outcome=FetchOutcome.FAILED,
        facts={
            "outcome": strange,
            "mishaps": str(claim.mishaps + 1),
            "mishaps_since": str(since_ms),
        },
        # However many pings have used up the failures: what lasts has to be believed in the end.
        retry_ms=_retry_ms(claim),
    )


def _read(
    claim: TopicClaim, answer: Answer, body_hash: bytes, seen: Mapping[bytes, Seen]
) -> FetchRecord:
    content_type = _header(answer, "content-type") or DEFAULT_CONTENT_TYPE
    document = read_document(answer.body, content_type, seen)
    facts = _facts(claim, answer, body_hash, content_type, document)
    match document:
        case Opaque(reason=reason):
            strange = f"was a feed, now is not: {reason}" if claim.is_feed else None
            return _mishap(claim, strange) or FetchRecord(
                outcome=FetchOutcome.NEWS,
                facts=facts,
                event=WholeEvent(content_type=content_type),
                body=answer.body,
            )
        case Feed():
            changes = diff(document, seen, number=claim.documents + 1)
            strange = _strangeness(document, changes, seen)
            record = _feed_record(claim, document, changes, facts, content_type)
            is_whole = not document.fault and (document.entries or not seen)
            is_good = record.event is not None or is_whole
            return _mishap(claim, strange) or (
                record if is_good else _keeping_body(record, document)
            )


def _strangeness(feed: Feed, changes: Diff, seen: Mapping[bytes, Seen]) -> str | None:
    """Returns what hardly ever happens to a feed, None where nothing such did."""
    if not feed.entries and (before := sum(not record.left_at for record in seen.values())):
        return f"had {before} entries, now has none"
    return f"{changes.flood} entries are new at once" if changes.flood else None


def _feed_record(
    claim: TopicClaim,
    feed: Feed,
    changes: Diff,
    facts: Mapping[str, str | bytes],
    content_type: str,
) -> FetchRecord:
    event: EntriesEvent | WholeEvent | None = None
    if changes.news:
        # A flood that lasts is believed, and still bounded; the rest is taken as delivered.
        news = changes.news[:FLOOD_ABOVE] if changes.flood else changes.news
        event = EntriesEvent(content_type=content_type, ping=cut(feed, news))
        facts = {**facts, "outcome": _with_withheld(facts["outcome"], changes, news)}
    elif not claim.has_baseline:
        # A first document is always offered as an event; the store decides (fine print 2).
        event = WholeEvent(content_type=content_type)
    return FetchRecord(
        outcome=FetchOutcome.SAME if event is None else FetchOutcome.NEWS,
        facts=facts,
        event=event,
        body=feed.body,
        seen=changes.updates,
        evicted=changes.evicted,
        recheck_ms=RECHECK_MS,
    )


def _keeping_body(record: FetchRecord, document: Feed) -> FetchRecord:
    """Returns the record less a document that has lost entries, or may have.

    Who is behind gets the last one that was well, or that had news. Nor is one without entries
    counted, or they would be forgotten where it stays empty for many versions.
    """
    kept = {"content_type"} if document.entries else {"content_type", "documents"}
    facts = {name: value for name, value in record.facts.items() if name not in kept}
    return replace(record, facts=facts, body=None)


def _with_withheld(outcome: str | bytes, changes: Diff, news: Sequence[Entry]) -> str | bytes:
    """Returns what the topic's state says, with what a believed flood did not deliver."""
    if not changes.flood:
        return outcome
    return f"{outcome!s}, though {len(changes.news) - len(news)} entries were withheld"


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
        "format": kind_of(document),
        "outcome": _told(document),
    }


def _told(document: Feed | Opaque) -> str:
    match document:
        case Opaque(reason=reason):
            return f"read whole: {reason}"
        case Feed(fault=fault, entries=entries):
            faults = [fault, None if entries else "without entries"]
            return ", though ".join(("read", *filter(None, faults)))


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
