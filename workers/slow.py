"""A request that may be slow: past patience it goes on without holding up the work of others."""

import asyncio
import resource
from dataclasses import dataclass
from itertools import takewhile

from hub.clock import monotonic_s
from hub.outbound.request import Answer, NoAnswer
from hub.outbound.sending import Sending
from hub.settings import Settings
from workers.hold import Hold

# What could not be started, as its host was too busy, is tried again this much later.
REST_MS = 2_000
# Buckets may exceed what is asked for by as much; the rest is for Redis, logs and libraries.
_DESCRIPTORS_BESIDES = 256 + 64
_STATIONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wait:
    """One who waits for an answer without a slot; patience ends at `until_s`."""

    hold: Hold
    patience_s: float
    until_s: float


class Slots:
    """How many requests past patience one station may have, and who waits with patience.

    One timer serves all, since one for each request would cost more than what it is for.
    """

    def __init__(self, limit: int) -> None:
        self.free = limit
        # In order of time, since all have the same patience.
        self._waits: dict[Sending, _Wait] = {}
        self._in_slots: set[Sending] = set()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, sending: Sending, hold: Hold, *, patience_s: float) -> None:
        """Looks at it once patience is over; all that share slots are given the same."""
        until_s = monotonic_s() + patience_s
        self._waits[sending] = _Wait(hold=hold, patience_s=patience_s, until_s=until_s)
        if self._timer is None:
            self._look_in(patience_s)

    def forget(self, sending: Sending) -> None:
        """It has ended, and a slot that it had is free."""
        self._waits.pop(sending, None)
        if sending in self._in_slots:
            self._in_slots.remove(sending)
            self.free += 1

    def _look_in(self, delay_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._look)

    def _look(self) -> None:
        now_s = monotonic_s()
        due = list(takewhile(lambda item: item[1].until_s <= now_s, self._waits.items()))
        try:
            for sending, wait in due:
                del self._waits[sending]
                # Who has had no turn at its host is withdrawn, and so has ended.
                if not (sending.done() or sending.withdraw()):
                    self._take_slot(sending, wait)
        finally:
            # Whatever becomes of one, the others are looked at.
            self._timer = None
            if (first := next(iter(self._waits.values()), None)) is not None:
                self._look_in(max(0.0, first.until_s - now_s))

    def _take_slot(self, sending: Sending, wait: _Wait) -> None:
        if self.free <= 0:
            self.watch(sending, wait.hold, patience_s=wait.patience_s)
            return
        self.free -= 1
        self._in_slots.add(sending)
        wait.hold.shrink(0)


def slots_of(settings: Settings) -> Slots:
    """Returns the slots of one station, with the descriptors that this process may have."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return Slots(slots_within(settings, descriptors))


def slots_within(settings: Settings, descriptors: int) -> int:
    """Returns how many slow requests each station may have; RLIM_INFINITY for no limit."""
    if descriptors == resource.RLIM_INFINITY:
        return settings.late_requests_at_once
    # Fetches, verifications, and probes of hosts that were down.
    others = 3 * settings.fetches_at_once
    spare = descriptors - settings.requests_at_once - others - _DESCRIPTORS_BESIDES
    return max(1, min(settings.late_requests_at_once, spare // _STATIONS))


async def answer_to(
    sending: Sending, hold: Hold, slots: Slots, *, patience_s: float
) -> Answer | NoAnswer:
    """Returns the answer; what has had no turn at its host within patience is NOT_STARTED.

    What is under way then gives back its part of the capacity as soon as a slot is free.
    """
    slots.watch(sending, hold, patience_s=patience_s)
    try:
        return await sending
    finally:
        slots.forget(sending)
