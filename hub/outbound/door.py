"""The door as the event loop sees it: requests in, outcomes back, in batches."""

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence

from hub.outbound.config import DoorConfig
from hub.outbound.engine import Cancel, Engine, Order, Settled, Start, Stop
from hub.outbound.lanes import Share
from hub.outbound.request import Addressee, NoAnswer, Reason, Request
from hub.outbound.sending import Batch, Sending

__all__ = ["Door", "DoorConfig"]

LOG = logging.getLogger(__name__)
_STOP_WAIT_S = 0.5
_FAULT_PAUSE_S = 0.5


class Door:
    """Sends requests from a thread of its own. All methods belong to one event loop."""

    def __init__(self, config: DoorConfig) -> None:
        """Does nothing yet; `start` opens the door."""
        self._config = config
        self._share = Share(
            at_once=config.requests_at_once_per_host,
            per_second=config.requests_per_second_per_host,
            in_all=config.requests_at_once_in_all,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open: set[Batch] = set()
        self._orders: deque[Order] = deque()
        self._wake_fd = -1
        self._is_open = False
        self._ended = asyncio.Event()

    def start(self) -> None:
        """Opens the door for the running event loop; once only."""
        if self._loop is not None:
            raise RuntimeError("a door is opened once")
        if self._config.proxy_url is not None:
            LOG.warning("requests go through a proxy, which alone decides what they may reach")
        self._loop = asyncio.get_running_loop()
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._is_open = True
        # A daemon, so that a name look-up that hangs doesn't keep the process alive.
        threading.Thread(target=self._work, name="outbound", daemon=True).start()

    async def stop(self) -> None:
        """Ends what is under way as STOPPED, at once, and waits for the thread, 0.5 s at most."""
        if not self._is_open:
            return
        self._is_open = False
        self._fail_open(Reason.STOPPED, "The hub is stopping.")
        self._order(Stop())
        try:
            async with asyncio.timeout(_STOP_WAIT_S):
                await self._ended.wait()
        except TimeoutError:
            LOG.warning("the client's thread still waits for a name look-up")

    def send(self, requests: Sequence[Request]) -> list[Sending]:
        """A future for each request, in their order; cancelling one aborts its transfer.

        They never end with an exception: what is wrong with a request is its outcome. One that has
        not been begun can be withdrawn.
        """
        return [self.send_to(one, [Addressee(one.url)]).sendings[0] for one in requests]

    def send_to(self, request: Request, addressees: Sequence[Addressee]) -> Batch:
        """A future as of `send` for each addressee, whose URL stands in for that of the request.

        Each gets the body signed with a secret of its own, worked out when its turn comes: what
        waits holds no header.
        """
        batch = Batch(request, addressees, loop=asyncio.get_running_loop(), on_drop=self._drop)
        self._open.add(batch)
        if self._config.requests_at_once_in_all:
            batch.line_up()
        if self._is_open:
            self._order(Start(batch=batch))
        else:
            self._fail_open(Reason.STOPPED, "The door isn't open.")
        return batch

    @property
    def at_once_per_host(self) -> int:
        """How many requests this process may have under way to one host, for each purpose."""
        return self._share.at_once

    def share_limits(self, workers: int) -> None:
        """Takes one of so many workers' part of the limits that hold for all together."""
        self._share.divide(workers)

    def _order(self, order: Order) -> None:
        """Queues it for the thread."""
        self._orders.append(order)
        # Behind another one it is found with that: the thread takes them until none is left.
        if len(self._orders) == 1:
            os.eventfd_write(self._wake_fd, 1)

    def _drop(self, sending: Sending) -> None:
        if not sending.batch.open:
            self._open.discard(sending.batch)
        if self._is_open:
            self._order(Cancel(sending=sending))

    def _settle(self, settled: Sequence[Settled]) -> None:
        """Sets futures."""
        ended: Counter[Batch] = Counter()
        for sending, outcome in settled:
            if not sending.done():
                sending.set_result(outcome)
                ended[sending.batch] += 1
        for batch, count in ended.items():
            batch.ended(count)
            if not batch.open:
                self._open.discard(batch)

    def _fail_open(self, reason: Reason, detail: str) -> None:
        """Ends all that is open with one and the same reason."""
        now = time.monotonic()
        for batch in tuple(self._open):
            outcome = NoAnswer(reason=reason, detail=detail, elapsed_s=now - batch.sent_at)
            self._settle([(sending, outcome) for sending in batch.sendings])

    def _work(self) -> None:
        """The thread: an engine, and after a fault of ours a new one."""
        while not self._has_ended():
            time.sleep(_FAULT_PAUSE_S)
        self._post(self._close)

    def _has_ended(self) -> bool:
        """Whether an engine worked until it was stopped, and not until a fault."""
        try:
            engine = Engine(
                self._config,
                share=self._share,
                orders=self._orders,
                wake_fd=self._wake_fd,
                deliver=self._deliver,
            )
            with contextlib.closing(engine):
                engine.run()
        except Exception:
            # Were the thread to end here, all requests would hang for ever.
            LOG.exception("fault in the client's thread; what was open is given up")
            self._post(self._fail_open, Reason.BROKEN, "The hub's client had a fault.")
            return False
        return True

    def _deliver(self, settled: list[Settled]) -> None:
        self._post(self._settle, settled)

    def _post(self, call: Callable[..., None], *arguments: object) -> None:
        """Has the event loop make this call."""
        if self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:
            # The loop was closed without `stop`; nobody waits for anything any more.
            LOG.debug("the event loop is closed")

    def _close(self) -> None:
        os.close(self._wake_fd)
        self._ended.set()
