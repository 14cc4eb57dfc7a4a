"""A request on its way: the future its caller waits on."""

import asyncio
import time
from collections.abc import Callable

from hub.outbound.request import Outcome, Request


class Pending(asyncio.Future[Outcome]):
    """Set and cancelled on the event loop only; the engine reads what was asked.

    A subclass, since a done-callback for each request would cost the loop a call for each.
    """

    def __init__(
        self,
        request: Request,
        *,
        loop: asyncio.AbstractEventLoop,
        on_cancel: Callable[["Pending"], None],
    ) -> None:
        """A request handed in now."""
        super().__init__(loop=loop)
        self.request = request
        self.sent_at = time.monotonic()
        self._on_cancel = on_cancel

    @property
    def ends_at(self) -> float:
        """When its deadline is over, by `time.monotonic`."""
        return self.sent_at + self.request.deadline_s

    def cancel(self, msg: object = None) -> bool:
        """Gives up the request, and says whether it was still open."""
        is_cancelled = super().cancel(msg)
        if is_cancelled:
            self._on_cancel(self)
        return is_cancelled
