"""One POST to one subscription, and what its answer means (WebSub 7)."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias, assert_never

import structlog

from hub.clock import now_s, sample
from hub.outbound.request import UNSENT, NoAnswer, Reason
from hub.outbound.sending import Batch, Sending
from hub.protocol.delivery import Delivered, Failed, Gone, judge_delivery
from hub.protocol.retry import delay_s
from hub.store.buckets import Member
from hub.store.event_id import EventId
from hub.store.outcomes import Blame, Fate, Left, Missed, Reached
from workers.blame import Witness

_log = structlog.get_logger()

Meaning: TypeAlias = Delivered | Gone | Failed | NoAnswer


class Post(NamedTuple):
    """One request under way to one member."""

    member: Member
    to: EventId
    answer: Sending
    is_probe: bool

    @property
    def is_under_way(self) -> bool:
        """Returns whether it was started and has no answer yet."""
        return self.answer.is_begun and not self.answer.done()


class Sent:
    """The requests of one bucket; empty at first.

    Attributes:
        posts: all of them.
        ends_at: when the deadline of the last is over, by `time.monotonic`.
    """

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.ends_at = 0.0
        self._batches: list[Batch] = []

    @property
    def open(self) -> int:
        """Returns how many have not ended."""
        return sum(batch.open for batch in self._batches)

    def add(
        self, members: Sequence[Member], to: EventId, batch: Batch, *, probing: bytes | None
    ) -> None:
        """Counts in what was sent to these members, up to that event.

        Args:
            members: in the order of the batch.
            to: the newest event that the request holds.
            batch: what is under way.
            probing: the subscription by which a held origin is tried; None where none is.
        """
        self._batches.append(batch)
        self.ends_at = max(self.ends_at, batch.ends_at)
        self.posts += (
            Post(member, to, sending, member.subscription_id == probing)
            for member, sending in zip(members, batch.sendings, strict=True)
        )

    async def until_open(self, at_most: int, *, timeout_s: float) -> bool:
        """Returns whether no more than that many are open, within that time."""
        if self.open > at_most:
            share = at_most // len(self._batches)
            waits = (batch.until_open(share, timeout_s=timeout_s) for batch in self._batches)
            await asyncio.gather(*waits)
        return self.open <= at_most


def fates_of(posts: Sequence[Post], witness: Witness) -> list[tuple[Post, Fate]]:
    """Returns what the answers to posts mean for their subscriptions, but for who was not sent."""
    answered = [(post, _meaning_of(post)) for post in posts]
    # First what succeeded, since it says that failures beside it are not their origin's.
    for post, meaning in answered:
        if isinstance(meaning, (Delivered, Gone)):
            witness.hear_success(post.member.subscription.callback)
    return [
        (post, _fate_of(post, meaning, witness))
        for post, meaning in answered
        if meaning is not None
    ]


def _meaning_of(post: Post) -> Meaning | None:
    answer = post.answer.result()
    if isinstance(answer, NoAnswer):
        return None if answer.reason in UNSENT else answer
    return judge_delivery(answer.status, answer.headers, now_s=now_s())


def _fate_of(post: Post, meaning: Meaning, witness: Witness) -> Fate:
    match meaning:
        case Delivered():
            return Reached(to=post.to)
        case Gone():
            return Left()
        case Failed(detail=detail, retry_after_s=retry_after_s):
            return _missed(post, detail, _blame(post, None, witness), retry_after_s=retry_after_s)
        case NoAnswer(reason=reason, detail=detail):
            return _missed(post, detail, _blame(post, reason, witness), retry_after_s=None)
    assert_never(meaning)


def _blame(post: Post, reason: Reason | None, witness: Witness) -> Blame:
    callback = post.member.subscription.callback
    sent_at_s = post.answer.batch.sent_at
    return witness.blame(callback, reason, sent_at_s=sent_at_s, is_probe=post.is_probe)


def count_under_way(posts: Sequence[Post]) -> int:
    """Returns how many were started and have no answer yet."""
    return sum(post.is_under_way for post in posts)


def was_not_started(post: Post) -> bool:
    """Returns whether one that has ended had no turn at its host."""
    answer = post.answer.result()
    return isinstance(answer, NoAnswer) and answer.reason is Reason.NOT_STARTED


def _missed(post: Post, detail: str, blame: Blame, *, retry_after_s: int | None) -> Missed:
    attempts = post.member.progress.attempts + 1
    wait_s = delay_s(attempts, sample())
    callback = post.member.subscription.callback
    _log.info("not delivered", id=str(post.to), callback=callback, detail=detail, attempts=attempts)
    return Missed(
        to=post.to,
        delay_ms=round(wait_s * 1000),
        hold_ms=(retry_after_s or 0) * 1000,
        error=detail,
        blame=blame,
    )
