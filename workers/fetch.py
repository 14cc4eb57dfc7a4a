"""The list `pinged`: fetches topics and writes what is new to their logs (design section 6)."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TypeVar

import structlog

from hub.clock import monotonic_s
from hub.feeds.diff import Seen
from hub.outbound.door import Door
from hub.outbound.request import Answer, NoAnswer, Purpose, Request, TooLong
from hub.protocol.own_topics import is_own_topic
from hub.protocol.urls import wire_form
from hub.settings import Settings
from hub.store.results import StoreFull, StoreUnavailable
from hub.store.store import Store
from hub.store.topics import Appended, FetchOutcome, FetchRecord, Lapsed, TopicClaim
from workers.deliver import Batch
from workers.hold import Hold
from workers.reading import failed, fingerprint, is_changed, judge_fetch
from workers.slow import answer_to, slots_of
from workers.station import Station

# What is larger is hashed in a thread, so that the event loop goes on: 0.3 ms.
HASHED_AT_ONCE_BYTES = 256 * 1024
# What is larger, or has more tags and objects, is read in a thread. Of what a stranger may write,
# the worst takes some 20 ms within these bounds; a usual feed takes 0.5 ms, and the way to a thread
# and back would cost 0.2 more.
READ_AT_ONCE_BYTES, READ_AT_ONCE_TAGS = 16 * 1024, 512
# Of all Link headers together; a usual topic has some 100.
READ_AT_ONCE_LINK_BYTES = 2 * 1024

# Nobody fetches it: whoever publishes it writes it (hub/web/own).
_PUBLISHED_HERE = FetchRecord(outcome=FetchOutcome.SAME, facts={"outcome": "published here"})

_log = structlog.get_logger()

T = TypeVar("T")


class Fetcher:
    """Fetches topics."""

    def __init__(
        self, store: Store, door: Door, settings: Settings, *, deliver: Station[Batch]
    ) -> None:
        """Starts nothing.

        Args:
            store: the records.
            door: the way out.
            settings: of the hub.
            deliver: takes the bucket that an append has claimed, to be delivered at once.
        """
        self._store = store
        self._door = door
        self._settings = settings
        self._deliver = deliver
        self._slots = slots_of(settings)

    async def fetch(self, claim: TopicClaim, hold: Hold) -> None:
        """Fetches one topic and settles it."""
        record = FetchRecord(outcome=FetchOutcome.RELEASED)
        if is_own_topic(claim.url, self._settings.hub_url):
            record = _PUBLISHED_HERE
        elif hold.may_start():
            (sending,) = self._door.send([self._request(claim)])
            # Read while the topic is fetched, where it will likely be asked for.
            early = asyncio.create_task(self._seen_early(claim)) if claim.is_pinged else None
            patience_s = self._settings.patience_newer_s
            answer = await answer_to(sending, hold, self._slots, patience_s=patience_s)
            body = answer.body if isinstance(answer, Answer) else b""
            is_short = len(body) <= HASHED_AT_ONCE_BYTES
            body_hash = await _done(lambda: fingerprint(body), at_once=is_short)
            record = await hold.insist(lambda: self._judge(claim, answer, body_hash, early))
        await hold.insist(lambda: self._write(claim, record))

    async def _judge(
        self,
        claim: TopicClaim,
        answer: Answer | NoAnswer,
        body_hash: bytes,
        early: "asyncio.Task[Mapping[bytes, Seen] | None] | None",
    ) -> FetchRecord:
        try:
            if not isinstance(answer, Answer) or not is_changed(claim, answer, body_hash):
                return judge_fetch(claim, answer, body_hash, {})
            seen = await early if early else None
            if seen is None:
                seen = await self._store.topics.seen(claim.topic_id)
            return await _done(
                lambda: judge_fetch(claim, answer, body_hash, seen),
                at_once=is_quickly_read(answer),
            )
        except (StoreUnavailable, StoreFull):
            raise
        except Exception:  # noqa: BLE001 - logged with its traceback
            # Left unsettled, it would be fetched each time its claim lapses, without any backoff.
            _log.exception("document not read", topic=claim.url)
            return failed(claim, "the hub could not read the document")

    async def _seen_early(self, claim: TopicClaim) -> Mapping[bytes, Seen] | None:
        """Returns what is known of the entries; None where it has to be read again."""
        with suppress(StoreUnavailable, StoreFull):
            return await self._store.topics.seen(claim.topic_id)
        return None

    async def _write(self, claim: TopicClaim, record: FetchRecord) -> None:
        before_s = monotonic_s()
        written = await self._store.topics.append(
            claim, record, is_bucket_wanted=self._deliver.has_room
        )
        match written:
            case Lapsed():
                _log.warning("fetch came too late", topic=claim.url)
            case Appended():
                # First what has to be done: a log may be written to a full disk.
                self._hand_on(record, written, before_s)
                self._report(claim, record, written)

    def _hand_on(self, record: FetchRecord, written: Appended, claimed_at_s: float) -> None:
        if written.bucket is None or written.event_id is None or record.event is None:
            return
        news = (written.before, written.event_id, record.event) if written.before else None
        self._deliver.take(Batch(claim=written.bucket, news=news), claimed_at_s=claimed_at_s)

    def _request(self, claim: TopicClaim) -> Request:
        headers = [("Accept", "*/*")]
        if claim.has_baseline and claim.etag:
            headers.append(("If-None-Match", claim.etag))
        if claim.has_baseline and claim.last_modified:
            headers.append(("If-Modified-Since", claim.last_modified))
        return Request(
            purpose=Purpose.FETCH,
            method="GET",
            url=wire_form(claim.url),
            headers=tuple(headers),
            deadline_s=self._settings.request_deadline_s,
            max_body_bytes=self._settings.topic_max_bytes,
            too_long=TooLong.FAIL,
            max_redirects=self._settings.redirects_max,
        )

    @staticmethod
    def _report(claim: TopicClaim, record: FetchRecord, written: Appended) -> None:
        facts = {"topic": claim.url, "detail": record.facts.get("outcome", "")}
        if written.event_id is not None:
            _log.info("fetched news", id=str(written.event_id), **facts)
        elif record.outcome is FetchOutcome.NEWS:
            _log.info("fetched a baseline", **facts)
        elif record.outcome is FetchOutcome.RELEASED:
            _log.debug("fetch given back", topic=claim.url)
        else:
            _log.info(f"fetched: {record.outcome.value}", **facts)


def is_quickly_read(answer: Answer) -> bool:
    """Returns whether a document is read in so short a time that nobody else need go on."""
    link_bytes = sum(len(value) for name, value in answer.headers if name == "link")
    if len(answer.body) > READ_AT_ONCE_BYTES or link_bytes > READ_AT_ONCE_LINK_BYTES:
        return False
    return answer.body.count(b"<") + answer.body.count(b"{") <= READ_AT_ONCE_TAGS


async def _done(work: Callable[[], T], *, at_once: bool) -> T:
    return work() if at_once else await asyncio.to_thread(work)
