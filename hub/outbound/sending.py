"""A request on its way: the future its caller waits on."""

import asyncio
import threading
import time
from collections.abc import Callable

from hub.outbound.request import NoAnswer, Outcome, Reason, Request

# With less time than this left a request is not begun: it would only fail.
LEAST_S = 1.0


class Sending(asyncio.Future[Outcome]):
    """Set and cancelled on the event loop only; the engine reads what was asked.

    A subclass, since a done-callback for each request would cost the loop a call for each.
    """

    def __init__(
        self,
        request: Request,
        *,
        loop: asyncio.AbstractEventLoop,
        on_drop: Callable[["Sending"], None],
    ) -> None:
        """A request handed in now."""
        super().__init__(loop=loop)
        self.request = request
        self.sent_at = time.monotonic()
        self.is_begun = False
        self._on_drop = on_drop
        # Whoever gets it first decides: the engine that begins, or the caller that withdraws.
        self._decision = threading.Lock()

    @property
    def ends_at(self) -> float:
        """When its deadline is over, by `time.monotonic`."""
        return self.sent_at + self.request.deadline_s

    @property
    def begins_before(self) -> float:
        """When it is too late to begin, by `time.monotonic`."""
        return self.ends_at - min(LEAST_S, self.request.deadline_s / 2)

    def begin(self) -> bool:
        """Says whether it is to be sent; from then on it can't be withdrawn. For the engine."""
        self.is_begun = self._decision.acquire(blocking=False)
        return self.is_begun

    def withdraw(self) -> bool:
        """Says whether it has not been begun; then it ends as NOT_STARTED and never will be."""
        if self.done() or not self._decision.acquire(blocking=False):
            return False
        detail = "Its turn at this host had not come."
        elapsed_s = time.monotonic() - self.sent_at
        self.set_result(NoAnswer(reason=Reason.NOT_STARTED, detail=detail, elapsed_s=elapsed_s))
        self._on_drop(self)
        return True

    def cancel(self, msg: object = None) -> bool:
        """Gives up the request, and says whether it was still open."""
        is_cancelled = super().cancel(msg)
        if is_cancelled:
            self._on_drop(self)
        return is_cancelled
