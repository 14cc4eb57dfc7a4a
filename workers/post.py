"""One POST to one subscription, and what its answer means (WebSub 7)."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from hub.clock import now_s, sample
from hub.outbound.request import UNSENT, NoAnswer, Reason
from hub.outbound.sending import Sending
from hub.protocol.delivery import Delivered, Failed, Gone, judge_delivery
from hub.protocol.retry import delay_s
from hub.store.buckets import Member
from hub.store.event_id import EventId
from hub.store.outcomes import Fate, Left, Missed, Reached

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One request under way to one member."""

    member: Member
    to: EventId
    deadline_at_s: float
    answer: Sending

    @property
    def is_under_way(self) -> bool:
        """Returns whether it was started and has no answer yet."""
        return self.answer.is_begun and not self.answer.done()


def fate_of(post: Post) -> Fate | None:
    """Returns what the answer to a post means for its subscription; None where it was not sent."""
    answer = post.answer.result()
    if isinstance(answer, NoAnswer):
        if answer.reason in UNSENT:
            return None
        return _missed(post, answer.detail, retry_after_s=None)
    match judge_delivery(answer.status, answer.headers, now_s=now_s()):
        case Delivered():
            return Reached(to=post.to)
        case Gone():
            return Left()
        case Failed(detail=detail, retry_after_s=retry_after_s):
            return _missed(post, detail, retry_after_s=retry_after_s)


def count_under_way(posts: Sequence[Post]) -> int:
    """Returns how many were started and have no answer yet."""
    return sum(post.is_under_way for post in posts)


def was_not_started(post: Post) -> bool:
    """Returns whether one that has ended had no turn at its host."""
    answer = post.answer.result()
    return isinstance(answer, NoAnswer) and answer.reason is Reason.NOT_STARTED


def _missed(post: Post, detail: str, *, retry_after_s: int | None) -> Missed:
    attempts = post.member.progress.attempts + 1
    wait_s = delay_s(attempts, sample())
    callback = post.member.subscription.callback
    _log.info("not delivered", id=str(post.to), callback=callback, detail=detail, attempts=attempts)
    return Missed(
        to=post.to,
        delay_ms=round(wait_s * 1000),
        hold_ms=(retry_after_s or 0) * 1000,
        error=detail,
    )
