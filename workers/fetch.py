"""The list `pinged`: fetches topics and writes what is new to their logs (design section 6)."""

import asyncio
from collections.abc import Callable

import structlog

from hub.outbound.door import Door
from hub.outbound.request import Answer, Purpose, Request, TooLong
from hub.protocol.urls import wire_form
from hub.settings import Settings
from hub.store.store import Store
from hub.store.topics import Appended, FetchRecord, Lapsed, TopicClaim
from workers.deliver import Batch
from workers.reading import is_changed, judge_fetch

# A larger document is read in a thread, so that the event loop goes on.
READ_IN_THREAD_BYTES = 64 * 1024

_log = structlog.get_logger()


class Fetcher:
    """Fetches topics."""

    def __init__(
        self, store: Store, door: Door, settings: Settings, *, hand_over: Callable[[Batch], None]
    ) -> None:
        """Starts nothing.

        Args:
            store: the records.
            door: the way out.
            settings: of the hub.
            hand_over: takes the bucket that an append has claimed, to be delivered at once.
        """
        self._store = store
        self._door = door
        self._settings = settings
        self._hand_over = hand_over

    async def fetch(self, claim: TopicClaim) -> None:
        """Fetches one topic and settles it."""
        answer = await self._door.send([self._request(claim)])[0]
        seen = {}
        if isinstance(answer, Answer) and is_changed(claim, answer):
            seen = await self._store.topics.seen(claim.topic_id)
        if isinstance(answer, Answer) and len(answer.body) > READ_IN_THREAD_BYTES:
            record = await asyncio.to_thread(judge_fetch, claim, answer, seen)
        else:
            record = judge_fetch(claim, answer, seen)
        written = await self._store.topics.append(claim, record, is_bucket_wanted=True)
        match written:
            case Lapsed():
                _log.warning("fetch came too late", topic=claim.url)
            case Appended():
                self._report(claim, record, written)
                self._deliver(record, written)

    def _deliver(self, record: FetchRecord, written: Appended) -> None:
        if written.bucket is None or written.event_id is None or record.event is None:
            return
        news = (written.before, written.event_id, record.event) if written.before else None
        self._hand_over(Batch(claim=written.bucket, news=news))

    def _request(self, claim: TopicClaim) -> Request:
        headers = [("Accept", "*/*")]
        if claim.has_baseline and claim.etag:
            headers.append(("If-None-Match", claim.etag))
        if claim.has_baseline and claim.last_modified:
            headers.append(("If-Modified-Since", claim.last_modified))
        return Request(
            purpose=Purpose.TOPIC,
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
        outcome = record.facts.get("outcome", "")
        event_id = None if written.event_id is None else str(written.event_id)
        _log.info(f"fetched: {record.outcome.value}", topic=claim.url, detail=outcome, id=event_id)
