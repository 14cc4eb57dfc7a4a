"""One POST to one subscription, and what its answer means (WebSub 7)."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias, assert_never

import structlog

from hub.clock import now_s, sample
from hub.outbound.request import UNSENT, NoAnswer, Reason
from hub.outbound.sending import Batch, Sending
from hub.protocol.delivery import Delivered, Failed, Gone, judge_delivery
from hub.protocol.retry import delay_s
from hub.store.buckets import Member
from hub.store.event_id import EventId
from hub.store.origins import origin_of
from hub.store.outcomes import Blame, Fate, Left, Missed, NoTurn, Reached
from workers.blame import Witness
from workers.newer import Heard

# As many that wait in line take what one takes that is under way: no more than memory.
IN_LINE_FOR_ONE = 8

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

    @property
    def had_no_turn(self) -> bool:
        """Returns whether one that has ended was in line to the last, its host being too busy."""
        answer = self.answer.result()
        is_unsent = isinstance(answer, NoAnswer) and answer.reason is Reason.NOT_STARTED
        return is_unsent and self.answer.is_in_line

    @property
    def is_in_line(self) -> bool:
        """Returns whether its host has as much under way as it may have, and it waits."""
        return self.answer.is_in_line and not self.answer.is_begun and not self.answer.done()


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

    @property
    def weight(self) -> int:
        """Returns how much of the capacity it takes: little for those that wait in line."""
        if not any(batch.has_line for batch in self._batches):
            return self.open
        in_line = sum(post.is_in_line for post in self.posts)
        return self.open - in_line + in_line // IN_LINE_FOR_ONE

    def is_for_failing_only(self) -> bool:
        """Returns whether all that have not ended failed the last time, or wait in line."""
        return all(
            post.member.progress.attempts > 0 or post.is_in_line or post.answer.done()
            for post in self.posts
        )

    async def until_open(self, at_most: int, *, timeout_s: float) -> bool:
        """Returns whether no more than that many are open, within that time."""
        if self.open > at_most:
            share = at_most // len(self._batches)
            waits = (batch.until_open(share, timeout_s=timeout_s) for batch in self._batches)
            await asyncio.gather(*waits)
        return self.open <= at_most

    async def until_done_or(self, heard: Heard, *, timeout_s: float) -> bool:
        """Returns whether none is open, within that time and before something is heard."""
        waiting = asyncio.ensure_future(self.until_open(0, timeout_s=timeout_s))
        try:
            await asyncio.wait((waiting, heard), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        return not self.open


def parted(posts: Iterable[Post]) -> tuple[list[Post], list[Post]]:
    """Returns those that have ended, and those that go on; whatever was not begun never will be."""
    ended: list[Post] = []
    left: list[Post] = []
    for post in posts:
        # Withdrawn, it can't be started by the door once the bucket is settled (fine print 6).
        has_ended = post.answer.done() or post.answer.withdraw()
        (ended if has_ended else left).append(post)
    return ended, left


def fates_of(posts: Sequence[Post], witness: Witness) -> list[tuple[Post, Fate]]:
    """Returns what the answers to posts mean for their subscriptions; none for who was not sent.

    Unless it had no turn at its host.
    """
    now = now_s()
    answered = [(post, _meaning_of(post, now)) for post in posts]
    # First what succeeded, since it says that failures beside it are not their origin's.
    witness.hear_success(
        post.member.subscription.callback
        for post, meaning in answered
        if isinstance(meaning, (Delivered, Gone))
    )
    fates = [(p, _fate_of(p, meaning, witness)) for p, meaning in answered if meaning is not None]
    without = [post for post, meaning in answered if meaning is None and post.had_no_turn]
    return fates + list(
        zip(without, no_turns((post.member for post in without), witness), strict=True)
    )


def no_turns(members: Iterable[Member], witness: Witness) -> Iterator[Fate]:
    """Yields what it means for these that they had no turn at their hosts; there may be many."""
    found: dict[str, NoTurn] = {}
    for member in members:
        callback = member.subscription.callback
        origin = origin_of(callback)
        if origin not in found:
            found[origin] = NoTurn(blame=witness.blame_for_no_turn(callback))
        yield found[origin]


def _meaning_of(post: Post, now: float) -> Meaning | None:
    answer = post.answer.result()
    if isinstance(answer, NoAnswer):
        return None if answer.reason in UNSENT else answer
    return judge_delivery(answer.status, answer.headers, now_s=now)


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
