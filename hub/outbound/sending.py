"""Requests on their way: the futures that callers wait on, alone or together."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence

from hub.outbound.request import Addressee, NoAnswer, Outcome, Reason, Request, TooLong

# With less time than this left a request is not begun: it would only fail.
LEAST_S = 1.0


class Batch:
    """One request to a number of addressees, handed in together.

    Attributes:
        sendings: one for each addressee, in their order.
        open: how many of them have not ended.
        is_ignorable: whether nothing but its status is wanted of an answer.
        ends_at: when their deadline is over, by `time.monotonic`.
        begins_before: when it is too late to begin, by the same clock.
        has_line: whether one of them had to wait for its turn at its host.
        header_lines: what the headers of all have in common, once the engine has made it.
    """

    __slots__ = (
        "_enough",
        "_waiter",
        "begins_before",
        "ends_at",
        "has_line",
        "header_lines",
        "is_ignorable",
        "on_drop",
        "open",
        "request",
        "sendings",
        "sent_at",
    )

    def __init__(
        self,
        request: Request,
        addressees: Sequence[Addressee],
        *,
        loop: asyncio.AbstractEventLoop,
        on_drop: Callable[["Sending"], None],
    ) -> None:
        """Requests handed in now."""
        self.request = request
        self.is_ignorable = request.too_long is TooLong.CUT
        self.on_drop = on_drop
        self.sent_at = time.monotonic()
        self.ends_at = self.sent_at + request.deadline_s
        self.begins_before = self.ends_at - min(LEAST_S, request.deadline_s / 2)
        self.sendings = tuple(Sending(self, addressee, loop=loop) for addressee in addressees)
        self.open = len(self.sendings)
        self.has_line = False
        self.header_lines: list[bytes] | None = None
        self._enough = 0
        self._waiter: asyncio.Future[None] | None = None

    def line_up(self) -> None:
        """Has each wait for its turn at first."""
        self.has_line = True
        for sending in self.sendings:
            sending.is_in_line = True

    async def until_open(self, at_most: int, *, timeout_s: float) -> bool:
        """Returns whether no more than that many are open, within that time; one waits at a time.

        It costs a wake-up in all, where a wait on each of the futures would cost one for each.
        """
        if self.open > at_most:
            self._enough = at_most
            self._waiter = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._waiter], timeout=timeout_s)
            self._waiter = None
        return self.open <= at_most

    def ended(self, count: int) -> None:
        """So many more have ended."""
        self.open -= count
        if self._waiter is not None and self.open <= self._enough and not self._waiter.done():
            self._waiter.set_result(None)


class Sending(asyncio.Future[Outcome]):
    """Set and cancelled on the event loop only; the engine reads what was asked."""

    def __init__(
        self, batch: Batch, addressee: Addressee, *, loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(loop=loop)
        self.batch = batch
        self.addressee = addressee
        self.is_begun = False
        self.begun_at = 0.0
        # Whether its host has as much under way as it may have.
        self.is_in_line = False
        # Whoever gets it first decides: the engine that begins, or the caller that withdraws.
        self._decision = threading.Lock()

    def begin(self) -> bool:
        """Says whether it is to be sent; from then on it can't be withdrawn. For the engine."""
        if self._decision.acquire(blocking=False):
            self.begun_at = time.monotonic()
            self.is_begun = True
        return self.is_begun

    def withdraw(self) -> bool:
        """Says whether it has not been begun; then it ends as NOT_STARTED and never will be."""
        if self.done() or not self._decision.acquire(blocking=False):
            return False
        detail = "Its turn at this host had not come."
        elapsed_s = time.monotonic() - self.batch.sent_at
        self.set_result(NoAnswer(reason=Reason.NOT_STARTED, detail=detail, elapsed_s=elapsed_s))
        self._drop()
        return True

    def cancel(self, msg: object = None) -> bool:
        """Gives up the request, and says whether it was still open."""
        is_cancelled = super().cancel(msg)
        if is_cancelled:
            self._drop()
        return is_cancelled

    def _drop(self) -> None:
        self.batch.ended(1)
        self.batch.on_drop(self)
