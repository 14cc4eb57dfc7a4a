"""What a piece of work holds while it lasts: a claim for some time, a part of the capacity."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from hub.clock import monotonic_s
from hub.settings import Settings
from hub.store.results import StoreFull, StoreUnavailable

T = TypeVar("T")
_log = structlog.get_logger()

AGAIN_AFTER_S = 0.2
START_MARGIN_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long a claim stands, and how soon after it was asked for a request must be started."""

    lease_s: float
    start_within_s: float


def terms_of(settings: Settings) -> Terms:
    """Returns the terms by which an answer comes while the claim still stands (fine print 6)."""
    latest_s = settings.claim_lease_s - settings.request_deadline_s - START_MARGIN_S
    return Terms(lease_s=settings.claim_lease_s, start_within_s=latest_s)


class Hold:
    """Belongs to one claim; the station takes back what is left of it at the end."""

    def __init__(
        self, terms: Terms, *, claimed_at_s: float, weight: int, give_back: Callable[[int], None]
    ) -> None:
        """Takes the capacity as given.

        Args:
            terms: of the claim.
            claimed_at_s: from before the claim was asked for, by the monotonic clock.
            weight: how much of the capacity it takes.
            give_back: told how much of that is free again.
        """
        self._start_before_s = claimed_at_s + terms.start_within_s
        self._lapses_at_s = claimed_at_s + terms.lease_s
        self._weight = weight
        self._give_back = give_back

    def may_start(self) -> bool:
        """Returns whether a request may still be started under this claim (fine print 6)."""
        return monotonic_s() < self._start_before_s

    def shrink(self, weight: int) -> None:
        """Takes no more of the capacity than this from now on."""
        freed, self._weight = self._weight - weight, weight
        self._give_back(freed)

    async def insist(self, write: Callable[[], Awaitable[T]]) -> T:
        """Returns what a write returned; while Redis is away it is tried again, up to the lapse.

        What receivers have answered would else be asked of them once more.
        """
        while True:
            try:
                return await write()
            except (StoreUnavailable, StoreFull) as error:
                if monotonic_s() >= self._lapses_at_s:
                    raise
                _log.debug("to be written again", error=str(error))
                await asyncio.sleep(AGAIN_AFTER_S)
