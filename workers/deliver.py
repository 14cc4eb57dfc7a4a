"""The list `ready`: delivers what is new to a bucket of subscriptions (design section 3)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import structlog

from hub.clock import monotonic_s
from hub.outbound.door import Door
from hub.outbound.request import Purpose, Request, TooLong
from hub.protocol.delivery import delivery_headers, link_header
from hub.settings import Settings
from hub.store.buckets import BucketClaim, Member
from hub.store.event_id import EventId
from hub.store.limits import FLIGHT_MARGIN_S
from hub.store.log import Event, LogSlice
from hub.store.outcomes import Fate, Left, Missed, NoTurn, Outcome, Pending, Reached
from hub.store.payload import (
    Payload,
    WholeWanted,
    payload_of_document,
    payload_of_events,
    payload_of_slice,
)
from hub.store.results import StoreFull, StoreUnavailable
from hub.store.store import Store
from workers.blame import Witness, report_breakers
from workers.groups import Groups, Key, addressee, groups_of
from workers.hold import Hold
from workers.late import LateAnswers
from workers.newer import Heard, Newer
from workers.post import Post, Sent, count_under_way, fates_of, no_turns, parted
from workers.slow import slots_of

ANSWER_MAX_BYTES = 16 * 1024
# So few that are under way leave no room worth a look.
FEW = 32
# So often a bucket sees who waits in line, and whether only such do for whom nobody should wait.
GLANCE_S = 0.025
# A newer event is told by the bell; what it does not tell is seen by a look.
LOOK_S = 1.0
# Where the topic's document is gone from Redis: the next event brings one.
NO_DOCUMENT_WAIT_S = 3600

_log = structlog.get_logger()

Payloads = Mapping[Key, Payload | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A claimed bucket; `news` is the event that was just appended, with the one before it."""

    claim: BucketClaim
    news: tuple[EventId, EventId, Event] | None = None


class Deliverer:
    """Delivers to buckets."""

    def __init__(self, store: Store, door: Door, settings: Settings) -> None:
        self._store = store
        self._door = door
        self._settings = settings
        self.slots = slots_of(settings)
        self.late = LateAnswers(store.buckets, self.slots)
        self.newer = Newer()
        self._witness = Witness(
            patience_s=settings.patience_s, at_once=lambda: door.at_once_per_host
        )

    async def deliver(self, batch: Batch, hold: Hold) -> None:
        """Sends each due member of a bucket what it is to have, and settles the bucket."""
        claim = batch.claim
        silent = self._at_silent_hosts(claim)
        groups = groups_of(claim, without=silent.keys())
        payloads = {key: await self._payload(batch, key) for key in groups}
        # What is not started is settled untried, and falls due at once (fine print 6).
        sent = self._send(claim, groups, payloads) if hold.may_start() else Sent()
        with self.newer.watch(claim.topic_id) as heard:
            await self._wait(claim, sent, hold, heard)
        ended, left = parted(sent.posts)
        outcomes = [
            *self._missing_documents(claim, groups, payloads),
            *self._outcomes(claim, ended),
            *(self._pending(claim, post) for post in left),
            *self._passed_over(claim, silent.values()),
        ]
        settled = await hold.insist(lambda: self._store.buckets.settle(claim, outcomes))
        is_settled = bool(settled.written)
        # First what has to be done: a log may be written to a full disk.
        self._follow(claim, left, is_settled=is_settled)
        self._report(claim, outcomes, is_settled=is_settled)
        report_breakers(settled.turned)

    def _at_silent_hosts(self, claim: BucketClaim) -> Mapping[bytes, Member]:
        """Returns those whose turn would not come: their host has to be asked no more."""
        probing = claim.probe.subscription_id if claim.probe else None
        return {
            member.subscription_id: member
            for member in claim.members
            if self._witness.is_silent(member.subscription.callback)
            and member.subscription_id != probing
        }

    # What to send

    async def _payload(self, batch: Batch, key: Key) -> Payload | None:
        claim, (cursor, is_whole_wanted) = batch.claim, key
        found: Payload | WholeWanted = WholeWanted()
        if not is_whole_wanted and batch.news is not None and batch.news[0] == cursor:
            found = payload_of_events([batch.news[1:]], is_json=claim.is_json)
        elif not is_whole_wanted:
            log = await self._read_log(claim, cursor)
            found = payload_of_slice(log, after=cursor, is_json=claim.is_json)
        if isinstance(found, Payload):
            return found
        document = await self._store.log.read_whole(claim.topic_id, after=cursor)
        return payload_of_document(document)

    async def _read_log(self, claim: BucketClaim, cursor: EventId) -> LogSlice:
        try:
            return await self._store.log.read(claim.topic_id, after=cursor, to=claim.head)
        except ValueError:
            # An event that cannot be read must not stop what comes after it: as if it were trimmed.
            _log.exception("log not readable", topic=claim.topic, id=str(claim.head))
            return LogSlice(trimmed_to=claim.head, events=())

    # Sending

    def _send(self, claim: BucketClaim, groups: Groups, payloads: Payloads) -> Sent:
        link = link_header(claim.hubs or (self._settings.hub_url,), claim.self_url or claim.topic)
        probing = claim.probe.subscription_id if claim.probe else None
        sent = Sent()
        for key, members in groups.items():
            payload = payloads[key]
            if payload is not None:
                request = self._request(payload, link)
                batch = self._door.send_to(request, [addressee(member) for member in members])
                sent.add(members, payload.to, batch, probing=probing)
        return sent

    def _request(self, payload: Payload, link: str) -> Request:
        return Request(
            purpose=Purpose.DELIVERY,
            method="POST",
            url="",
            headers=delivery_headers(
                content_type=payload.content_type, link=link, webhook_id=payload.webhook_id
            ),
            body=payload.body,
            deadline_s=self._settings.request_deadline_s,
            max_body_bytes=ANSWER_MAX_BYTES,
            too_long=TooLong.CUT,
        )

    async def _wait(self, claim: BucketClaim, sent: Sent, hold: Hold, heard: Heard) -> None:
        """Waits for answers, but for nobody's longer than patience lasts (design: patience)."""
        patience_s, newer_s = self._settings.patience_s, self._settings.patience_newer_s
        if await self._is_answered_soon(sent, newer_s, hold, heard):
            return
        # Those that have answered make room for other buckets, which else would wait for the rest;
        # and so do those that wait for their turn at a slow host.
        hold.shrink(count_under_way(sent.posts))
        until_s = monotonic_s() + patience_s - newer_s
        while not heard.done() and (left_s := until_s - monotonic_s()) > 0:
            # The bell may be lost.
            if await self._has_newer_event(claim):
                break
            if await sent.until_done_or(heard, timeout_s=min(left_s, LOOK_S)):
                return
        # Without a slot to wait in, the request keeps the claim to its deadline.
        while self._is_short_of_slots(sent) and monotonic_s() < sent.ends_at:
            await sent.until_open(0, timeout_s=newer_s)

    @staticmethod
    async def _is_answered_soon(sent: Sent, within_s: float, hold: Hold, heard: Heard) -> bool:
        """Returns whether all have ended; as they do, they make room for the next bucket.

        That is claimed and read while the last answers come, so that the door is never idle. Who
        failed the last time holds up nobody's newer event meanwhile.
        """
        until_s = monotonic_s() + within_s
        while sent.open and (left_s := until_s - monotonic_s()) > 0:
            if heard.done() and sent.is_for_failing_only():
                break
            at_most = sent.open // 2 if sent.open > FEW else 0
            await sent.until_open(at_most, timeout_s=min(left_s, GLANCE_S))
            hold.shrink(sent.weight)
        return not sent.open

    def _is_short_of_slots(self, sent: Sent) -> bool:
        under_way = count_under_way(sent.posts)
        return under_way > 0 and under_way > self.slots.free

    async def _has_newer_event(self, claim: BucketClaim) -> bool:
        try:
            return await self._store.buckets.has_newer_event(claim)
        except (StoreUnavailable, StoreFull):
            # The answers that come meanwhile are worth more than to give up the claim.
            return False

    # What came of it

    def _outcomes(self, claim: BucketClaim, posts: Sequence[Post]) -> list[Outcome]:
        attempt = claim.attempt
        return [
            Outcome(post.member.subscription_id, post.member.progress.incarnation, attempt, fate)
            for post, fate in fates_of(posts, self._witness)
        ]

    def _passed_over(self, claim: BucketClaim, members: Collection[Member]) -> list[Outcome]:
        fates = no_turns(members, self._witness)
        return [_outcome(claim, m, fate) for m, fate in zip(members, fates, strict=True)]

    def _pending(self, claim: BucketClaim, post: Post) -> Outcome:
        remaining_s = max(0.0, post.answer.batch.ends_at - monotonic_s()) + FLIGHT_MARGIN_S
        fate = Pending(to=post.to, remaining_ms=round(remaining_s * 1000))
        return _outcome(claim, post.member, fate)

    @staticmethod
    def _missing_documents(claim: BucketClaim, groups: Groups, payloads: Payloads) -> list[Outcome]:
        fate = Missed(
            to=claim.head,
            delay_ms=NO_DOCUMENT_WAIT_S * 1000,
            hold_ms=0,
            error="the document is not kept any more",
        )
        missing = (members for key, members in groups.items() if payloads[key] is None)
        return [_outcome(claim, member, fate) for members in missing for member in members]

    def _follow(self, claim: BucketClaim, left: Sequence[Post], *, is_settled: bool) -> None:
        for post in left:
            # A claim that has ended starts and keeps nothing (invariant 5).
            if not is_settled:
                post.answer.cancel()
                continue
            self._witness.leave_silent(
                post.member.subscription.callback, begun_at_s=post.answer.begun_at
            )
            self.late.follow(
                claim,
                post.answer,
                lambda post=post: self._outcomes(claim, [post]),  # type: ignore[misc]
            )

    @staticmethod
    def _report(claim: BucketClaim, outcomes: Sequence[Outcome], *, is_settled: bool) -> None:
        fates = [type(outcome.fate) for outcome in outcomes]
        event = "delivered" if Reached in fates else "nothing delivered"
        _log.info(
            event if is_settled else f"{event}, and the claim had lapsed",
            id=str(claim.head),
            topic=claim.topic,
            reached=fates.count(Reached),
            missed=fates.count(Missed),
            gone=fates.count(Left),
            late=fates.count(Pending),
            waiting=fates.count(NoTurn),
        )


def _outcome(claim: BucketClaim, member: Member, fate: Fate) -> Outcome:
    return Outcome(
        subscription_id=member.subscription_id,
        incarnation=member.progress.incarnation,
        attempt=claim.attempt,
        fate=fate,
    )
