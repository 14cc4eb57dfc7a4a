"""Where a process is ended: the points of the pipeline, each a public call and a moment of it."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hub.outbound.request import Answer, Purpose
from hub.store.outcomes import Pending, Reached


class Moment(enum.Enum):
    """When in a call.

    Of `Door.send_to` an ANSWERED is each answer that comes in. HEARD is when a receiver has the
    whole request and has answered nothing: there the test ends the process, which knows of nothing.
    """

    BEFORE = enum.auto()
    AFTER = enum.auto()
    ANSWERED = enum.auto()
    HEARD = enum.auto()


class Scene(enum.Enum):
    """What is going on at that time."""

    ONE_BUCKET = enum.auto()
    THREE_BUCKETS = enum.auto()
    SLOW_RECEIVERS = enum.auto()
    CATCH_UP = enum.auto()
    NEWCOMERS = enum.auto()
    LEASES_END = enum.auto()


# What a scene asks of the scripts: several buckets, added one by one.
LIMITS: Mapping[Scene, Mapping[str, int]] = {
    Scene.THREE_BUCKETS: {"bucket_size": 2, "sweep_slice": 1},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that was made; `answer` is None before it has returned."""

    arguments: tuple[Any, ...]
    answer: Any = None


def _always(_: Call) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point.

    Attributes:
        call: class and method; for HEARD the method of the request.
        is_met: which of these calls count.
        count: how many of them are let through, this one included.
        lapsed: what the call returns that is made after the claim was lost to another worker.
    """

    name: str
    call: str
    moment: Moment
    scene: Scene = Scene.ONE_BUCKET
    is_met: Callable[[Call], bool] = _always
    count: int = 1
    lapsed: str | None = None
    process: Literal["worker", "web"] = "worker"


def _claims(call: Call) -> bool:
    return bool(call.answer.claims)


def _brings_news(call: Call) -> bool:
    return call.arguments[1].event is not None


def _has_no_bucket(call: Call) -> bool:
    return getattr(call.answer, "event_id", None) is not None and call.answer.bucket is None


def _has_bucket(call: Call) -> bool:
    return getattr(call.answer, "bucket", None) is not None


def _fetched(call: Call) -> bool:
    return _is_for(call, Purpose.FETCH)


def _delivered(call: Call) -> bool:
    return _is_for(call, Purpose.DELIVERY)


def _is_for(call: Call, purpose: Purpose) -> bool:
    return call.arguments[0].purpose is purpose and isinstance(call.answer, Answer)


def _is_delivery(call: Call) -> bool:
    return call.arguments[0] is Purpose.DELIVERY


def _reaches(call: Call) -> bool:
    return any(isinstance(outcome.fate, Reached) for outcome in call.arguments[1])


def _leaves_in_flight(call: Call) -> bool:
    return any(isinstance(outcome.fate, Pending) for outcome in call.arguments[1])


def _catches_up(call: Call) -> bool:
    late = {m.subscription_id for m in call.arguments[0].members if m.progress.attempts}
    reached = [o for o in call.arguments[1] if isinstance(o.fate, Reached)]
    return any(outcome.subscription_id in late for outcome in reached)


def _reads_several(call: Call) -> bool:
    return len(call.answer.events) > 1


_BEFORE, _AFTER = Moment.BEFORE, Moment.AFTER

POINTS = (
    Point(name="ping to be written", call="Topics.ping", moment=_BEFORE, process="web"),
    Point(name="ping written, not answered", call="Topics.ping", moment=_AFTER, process="web"),
    Point(
        name="request to be written",
        call="Requests.accept",
        moment=_BEFORE,
        scene=Scene.NEWCOMERS,
        process="web",
    ),
    Point(
        name="request written, not answered",
        call="Requests.accept",
        moment=_AFTER,
        scene=Scene.NEWCOMERS,
        process="web",
    ),
    Point(name="topic claimed", call="Topics.claim", moment=_AFTER, is_met=_claims),
    Point(name="topic fetched", call="Door.send_to", moment=Moment.ANSWERED, is_met=_fetched),
    Point(
        name="event to be appended",
        call="Topics.append",
        moment=_BEFORE,
        is_met=_brings_news,
        lapsed="Lapsed()",
    ),
    Point(
        name="event appended, its sweep under way",
        call="Topics.append",
        moment=_AFTER,
        is_met=_has_no_bucket,
        scene=Scene.THREE_BUCKETS,
    ),
    Point(
        name="event appended, bucket claimed with it",
        call="Topics.append",
        moment=_AFTER,
        is_met=_has_bucket,
    ),
    Point(
        name="bucket claimed by the station",
        call="Buckets.claim",
        moment=_AFTER,
        is_met=_claims,
        scene=Scene.THREE_BUCKETS,
    ),
    Point(name="bucket sent, half of it heard", call="POST", moment=Moment.HEARD, count=3),
    Point(
        name="bucket sent, half of it answered",
        call="Door.send_to",
        moment=Moment.ANSWERED,
        is_met=_delivered,
        count=3,
    ),
    Point(
        name="bucket answered, cursors to be moved",
        call="Buckets.settle",
        moment=_BEFORE,
        is_met=_reaches,
        lapsed="Settled(written=0, turned=())",
    ),
    Point(
        name="bucket answered, cursors moved",
        call="Buckets.settle",
        moment=_AFTER,
        is_met=_reaches,
    ),
    Point(
        name="bucket settled, slow ones left in flight",
        call="Buckets.settle",
        moment=_AFTER,
        is_met=_leaves_in_flight,
        scene=Scene.SLOW_RECEIVERS,
    ),
    Point(
        name="late answer to be settled",
        call="Buckets.settle_late",
        moment=_BEFORE,
        scene=Scene.SLOW_RECEIVERS,
        lapsed="Settled(written=0, turned=())",
    ),
    Point(
        name="late answer settled",
        call="Buckets.settle_late",
        moment=_AFTER,
        scene=Scene.SLOW_RECEIVERS,
    ),
    Point(
        name="catch-up read from the log",
        call="Log.read",
        moment=_AFTER,
        is_met=_reads_several,
        scene=Scene.CATCH_UP,
    ),
    Point(
        name="catch-up answered, cursor to be moved",
        call="Buckets.settle",
        moment=_BEFORE,
        is_met=_catches_up,
        scene=Scene.CATCH_UP,
    ),
    Point(
        name="catch-up answered, cursor moved",
        call="Buckets.settle",
        moment=_AFTER,
        is_met=_catches_up,
        scene=Scene.CATCH_UP,
    ),
    Point(
        name="verification claimed",
        call="Requests.claim",
        moment=_AFTER,
        is_met=_claims,
        scene=Scene.NEWCOMERS,
    ),
    Point(
        name="verification sent, not answered",
        call="GET",
        moment=Moment.HEARD,
        scene=Scene.NEWCOMERS,
        count=2,
    ),
    Point(
        name="confirmation to be written",
        call="Requests.settle",
        moment=_BEFORE,
        scene=Scene.NEWCOMERS,
        lapsed="<Effect.LAPSED: 'lapsed'>",
    ),
    Point(
        name="confirmation written",
        call="Requests.settle",
        moment=_AFTER,
        scene=Scene.NEWCOMERS,
    ),
    Point(
        name="leases over, to be ended",
        call="Buckets.expire",
        moment=_BEFORE,
        scene=Scene.LEASES_END,
    ),
    Point(
        name="leases ended",
        call="Buckets.expire",
        moment=_AFTER,
        is_met=_claims,
        scene=Scene.LEASES_END,
    ),
)
# Not of the matrix: between the decision that a request may be sent and the first byte of it.
BEGINNING = Point(
    name="request about to begin",
    call="Connections.begin",
    moment=_BEFORE,
    is_met=_is_delivery,
)
# What a paused worker must not do when it wakes: all that another one may have done meanwhile.
# While requests are under way it may be at BEGINNING as well, so those points are left out.
PAUSES = tuple(
    point
    for point in POINTS
    if point.process == "worker"
    and point.moment in {_BEFORE, _AFTER}
    and point.scene not in {Scene.CATCH_UP, Scene.LEASES_END}
)
