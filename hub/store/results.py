"""What the store answers, and how it says that it cannot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from hub.errors import HubError

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The request is written; `number` orders it among all requests, None where none was needed."""

    number: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TooManyPending:
    """The (topic, callback) pair has as many requests waiting for verification as it may have."""

    retry_after_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed(Generic[T]):
    """What a worker took of a list, and how long it may sleep before it looks again."""

    wait_ms: int
    claims: Sequence[T]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A subscription and a ping would be worked on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotReady:
    """A subscription or a ping would not be worked on, and `reason` says why."""

    reason: str


class StoreUnavailable(HubError):
    """Redis is away, still loading, or did not answer in time."""

    retry_after_s: ClassVar[int] = 5


class StoreFull(HubError):
    """There is too little room left, on disk or in memory, to take anything new."""

    retry_after_s: ClassVar[int] = 60
