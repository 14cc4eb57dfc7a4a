"""The thread's work: starts requests, lets libcurl drive them, hands back what came of them."""

import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import assert_never

import pycurl

from hub.outbound.config import DoorConfig
from hub.outbound.connections import Connections
from hub.outbound.lanes import Lanes, Share
from hub.outbound.poller import Poller
from hub.outbound.request import Answer, NoAnswer, Outcome, Purpose, Reason
from hub.outbound.sending import Batch, Sending
from hub.outbound.target import BadUrl, Target, target_of
from hub.outbound.transfer import Transfer

_FOLLOWED = frozenset({301, 302, 303, 307, 308})
_HANDED_OVER_AT = 64
_STARTED_AT_ONCE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Begin these."""

    batch: Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Nobody waits for this one any more."""

    sending: Sending


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """End."""


Order = Start | Cancel | Stop
Settled = tuple[Sending, Outcome]


class Engine:
    """Belongs to one thread; `orders` and `wake_fd` are how others reach it."""

    def __init__(
        self,
        config: DoorConfig,
        *,
        share: Share,
        orders: deque[Order],
        wake_fd: int,
        deliver: Callable[[list[Settled]], None],
    ) -> None:
        self._orders = orders
        self._deliver = deliver
        self._poller = Poller(wake_fd)
        self._connections = {purpose: Connections(config, purpose) for purpose in Purpose}
        for connections in self._connections.values():
            self._poller.adopt(connections.multi)
        self._share = share
        self._lanes = Lanes[Sending](share)
        self._to_start: deque[Sending] = deque()
        self._running: dict[Sending, Transfer] = {}
        self._settled: list[Settled] = []
        self._is_stopping = False

    def run(self) -> None:
        """Works until it is told to stop."""
        # What an engine before this one was woken for.
        self._obey()
        while not self._is_stopping:
            is_busy = bool(self._settled or self._startable)
            is_idle = not self._poller.wait(0.0 if is_busy else self._lanes.next_at())
            if self._poller.was_woken:
                self._obey()
            self._start_some()
            self._poller.run_timers()
            for connections in self._connections.values():
                for transfer, code, message in connections.ended():
                    self._finish(transfer, code, message)
            for sending in self._lanes.expired(time.monotonic()):
                self._settle(sending, Reason.NOT_STARTED, "Its turn at this host didn't come.")
            for lane in self._lanes.woken(time.monotonic()):
                self._give_turns(lane)
            # Each time wakes the event loop, which then competes with this thread.
            is_idle = is_idle and not self._startable
            if is_idle or len(self._settled) >= _HANDED_OVER_AT:
                self._hand_over()
        self._hand_over()

    def close(self) -> None:
        """Lets go of all connections; may wait for a slow name look-up."""
        for connections in self._connections.values():
            connections.close()
        self._poller.close()

    def _obey(self) -> None:
        """Does what was ordered since the last time."""
        while self._orders:
            match self._orders.popleft():
                case Start(batch=batch):
                    self._to_start += batch.sendings
                case Cancel(sending=sending):
                    self._abort(sending)
                case Stop():
                    self._is_stopping = True
                case never:
                    assert_never(never)

    def _start_some(self) -> None:
        """Starts a few, between looks at what has been answered.

        So only as many are under way as their receivers are slow; with hundreds more each costs
        half as much again, as their buffers fall out of the processor's cache.
        """
        while self._to_start and self._to_start[0].done():
            self._to_start.popleft()
        for _ in range(min(self._startable, _STARTED_AT_ONCE)):
            self._admit(self._to_start.popleft())

    @property
    def _startable(self) -> int:
        """How many of those that wait to be started may be, by the limit on all."""
        return max(0, min(len(self._to_start), self._share.in_all - len(self._running)))

    def _admit(self, sending: Sending) -> None:
        """Starts it, or has it wait its turn."""
        if sending.done():
            return
        target = target_of(sending.addressee.url)
        if isinstance(target, BadUrl):
            self._settle(sending, Reason.BAD_URL, target.detail)
            return
        batch = sending.batch
        lane = (batch.request.purpose, target.origin)
        now, ends_at = time.monotonic(), batch.begins_before
        may_start = self._lanes.enter(lane, sending, now=now, ends_at=ends_at)
        sending.is_in_line = not may_start
        batch.has_line = batch.has_line or not may_start
        if may_start and not self._has_started(sending, target, lane):
            self._leave(lane)

    def _leave(self, lane: Hashable) -> None:
        """Gives back a place in a lane, to the next one that can be started."""
        if self._lanes.leave(lane):
            self._give_turns(lane)

    def _give_turns(self, lane: Hashable) -> None:
        """Starts who may start now in a lane."""
        while (sending := self._lanes.turn(lane, time.monotonic())) is not None:
            target = target_of(sending.addressee.url)
            if not (isinstance(target, Target) and self._has_started(sending, target, lane)):
                self._lanes.leave(lane)

    def _has_started(self, sending: Sending, target: Target, lane: Hashable) -> bool:
        """Whether libcurl works on it now; otherwise it is settled."""
        if not sending.begin():
            return False
        batch = sending.batch
        if time.monotonic() >= batch.begins_before:
            self._settle(sending, Reason.NOT_STARTED, "Its turn at this host came too late.")
            return False
        connections = self._connections[batch.request.purpose]
        transfer = connections.take()
        try:
            transfer.prepare(sending, target, lane)
            connections.begin(transfer)
        except (pycurl.error, ValueError, TypeError, OverflowError) as fault:
            transfer.easy.close()
            self._settle(sending, Reason.BROKEN, f"The request can't be sent: {fault}")
            return False
        self._running[sending] = transfer
        return True

    def _finish(self, transfer: Transfer, code: int, message: str) -> None:
        """Follows a redirect, else settles the request."""
        sending = transfer.sending
        elapsed_s = time.monotonic() - sending.batch.sent_at
        outcome = transfer.outcome(code, message, elapsed_s)
        step = _step_after(transfer, outcome)
        result = self._followed(transfer, step) if isinstance(step, Target) else step
        if result is not None:
            self._settled.append((sending, result))
            self._end(transfer)

    def _followed(self, transfer: Transfer, target: Target) -> NoAnswer | None:
        """None where the request goes on to `target`."""
        batch = transfer.sending.batch
        try:
            transfer.redirect(target)
            self._connections[batch.request.purpose].begin(transfer)
        except (pycurl.error, ValueError) as fault:
            detail = f"The redirect can't be followed: {fault}"
            elapsed_s = time.monotonic() - batch.sent_at
            return NoAnswer(reason=Reason.BROKEN, detail=detail, elapsed_s=elapsed_s)
        return None

    def _abort(self, sending: Sending) -> None:
        """Drops a request without an outcome."""
        transfer = self._running.get(sending)
        if transfer is None:
            self._lanes.forget(sending)
            return
        self._connections[sending.batch.request.purpose].end(transfer.easy)
        self._end(transfer)

    def _end(self, transfer: Transfer) -> None:
        """Gives back the handle, and the place in the lane."""
        sending, lane = transfer.sending, transfer.lane
        del self._running[sending]
        self._connections[sending.batch.request.purpose].give_back(transfer)
        self._leave(lane)

    def _settle(self, sending: Sending, reason: Reason, detail: str) -> None:
        elapsed_s = time.monotonic() - sending.batch.sent_at
        outcome = NoAnswer(reason=reason, detail=detail, elapsed_s=elapsed_s)
        self._settled.append((sending, outcome))

    def _hand_over(self) -> None:
        """One call for all that was settled since the last."""
        if self._settled:
            self._deliver(self._settled)
            self._settled = []


def _step_after(transfer: Transfer, outcome: Outcome) -> Outcome | Target:
    """Where a redirect leads, or what the request ends with."""
    request = transfer.sending.batch.request
    if request.max_redirects == 0 or not isinstance(outcome, Answer):
        return outcome
    if outcome.status not in _FOLLOWED or request.method != "GET":
        return outcome
    url = transfer.redirect_url()
    if url is None:
        return outcome
    target = target_of(url)
    elapsed_s = outcome.elapsed_s
    if transfer.redirects >= request.max_redirects:
        detail = f"More than {request.max_redirects} redirects."
        return NoAnswer(reason=Reason.TOO_MANY_REDIRECTS, detail=detail, elapsed_s=elapsed_s)
    if isinstance(target, BadUrl):
        detail = f"A redirect leads astray: {target.detail}"
        return NoAnswer(reason=Reason.BAD_URL, detail=detail, elapsed_s=elapsed_s)
    return target
