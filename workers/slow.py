"""A request that may be slow: past patience it goes on without holding up the work of others."""

import asyncio
import resource

from hub.outbound.request import Answer, NoAnswer
from hub.outbound.sending import Sending
from hub.settings import Settings
from workers.hold import Hold

# What could not be started, as its host was too busy, is tried again this much later.
REST_MS = 2_000
# Buckets may exceed what is asked for by as much; the rest is for Redis, logs and libraries.
_DESCRIPTORS_BESIDES = 256 + 64
_STATIONS = 3


class Slots:
    """How many requests past patience one station may have."""

    def __init__(self, limit: int) -> None:
        self.free = limit


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
    await asyncio.wait([sending], timeout=patience_s)
    if not sending.done() and not sending.withdraw():
        while slots.free <= 0 and not sending.done():
            await asyncio.wait([sending], timeout=patience_s)
        if not sending.done():
            return await _without_capacity(sending, hold, slots)
    return sending.result()


async def _without_capacity(sending: Sending, hold: Hold, slots: Slots) -> Answer | NoAnswer:
    slots.free -= 1
    hold.shrink(0)
    try:
        return await sending
    finally:
        slots.free += 1
