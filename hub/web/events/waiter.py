"""A long poll: a reader that waits for the first event, once."""

import asyncio
from contextlib import suppress
from typing import Final

from hub.store.event_id import EventId
from hub.web.events.prepared import Prepared

# More than one answer holds: the rest is read from the history.
_OFFERED_MAX: Final = 1_000


class Waiter:
    """Keeps what it is offered until it is asked."""

    def __init__(self) -> None:
        """Waits for nothing yet."""
        self._offered: list[Prepared] = []
        self._stir = asyncio.Event()
        self.is_left = False

    def offer(self, event: Prepared) -> None:
        """Keeps a live event."""
        if len(self._offered) < _OFFERED_MAX:
            self._offered.append(event)
        self._stir.set()

    def end(self) -> None:
        """Waits no longer."""
        self.is_left = True
        self._stir.set()

    async def wait(self, *, after: EventId, within_s: float) -> list[Prepared]:
        """Returns what was offered after a cursor, as soon as there is something; empty if late."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not self.is_left and not self._newer(after):
                    self._stir.clear()
                    await self._stir.wait()
        return self._newer(after)

    def _newer(self, after: EventId) -> list[Prepared]:
        return [event for event in self._offered if event.event_id > after]
