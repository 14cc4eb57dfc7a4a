"""The thread's work: starts requests, lets libcurl drive them, hands back what came of them."""

import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import assert_never

import pycurl

from hub.outbound.config import DoorConfig
from hub.outbound.connections import Connections
from hub.outbound.lanes import Lanes
from hub.outbound.poller import Poller
from hub.outbound.request import Answer, NoAnswer, Outcome, Purpose, Reason
from hub.outbound.sending import Sending
from hub.outbound.target import BadUrl, Target, target_of
from hub.outbound.transfer import Transfer

_FOLLOWED = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Begin these."""

    requests: tuple[Sending, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Nobody waits for this one any more."""

    request: Sending


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """End."""


Order = Start | Cancel | Stop
Settled = tuple[Sending, Outcome]


@dataclass(slots=True, kw_only=True)
class _Running:
    """A request under way."""

    sending: Sending
    transfer: Transfer
    lane: Hashable
    redirects: int = 0


class Engine:
    """Belongs to one thread; `orders` and `wake_fd` are how others reach it."""

    def __init__(
        self,
        config: DoorConfig,
        *,
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
        self._lanes = Lanes[Sending](config.requests_at_once_per_host)
        self._running: dict[Sending, _Running] = {}
        self._by_transfer: dict[Transfer, _Running] = {}
        self._settled: list[Settled] = []
        self._is_stopping = False

    def run(self) -> None:
        """Works until it is told to stop."""
        while not self._is_stopping:
            if self._poller.wait(self._lanes.next_end()):
                self._obey()
            self._poller.run_timers()
            for connections in self._connections.values():
                for transfer, code, message in connections.ended():
                    self._finish(self._by_transfer[transfer], code, message)
            for sending in self._lanes.expired(time.monotonic()):
                self._settle(sending, Reason.NOT_STARTED, "Its turn at this host didn't come.")
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
                case Start(requests=requests):
                    for sending in requests:
                        self._admit(sending)
                case Cancel(request=sending):
                    self._abort(sending)
                case Stop():
                    self._is_stopping = True
                case never:
                    assert_never(never)

    def _admit(self, sending: Sending) -> None:
        """Starts it, or has it wait its turn."""
        if sending.done():
            return
        target = target_of(sending.request.url)
        if isinstance(target, BadUrl):
            self._settle(sending, Reason.BAD_URL, target.detail)
            return
        lane = (sending.request.purpose, target.origin)
        may_start = self._lanes.enter(lane, sending, sending.begins_before)
        if may_start and not self._has_started(sending, target, lane):
            self._leave(lane)

    def _leave(self, lane: Hashable) -> None:
        """Gives a place in a lane to the next one that can be started."""
        while (sending := self._lanes.leave(lane)) is not None:
            target = target_of(sending.request.url)
            if isinstance(target, Target) and self._has_started(sending, target, lane):
                return

    def _has_started(self, sending: Sending, target: Target, lane: Hashable) -> bool:
        """Whether libcurl works on it now; otherwise it is settled."""
        if not sending.begin():
            return False
        if time.monotonic() >= sending.begins_before:
            self._settle(sending, Reason.NOT_STARTED, "Its turn at this host came too late.")
            return False
        connections = self._connections[sending.request.purpose]
        transfer = connections.take()
        try:
            transfer.prepare(sending.request, target, sending.ends_at - time.monotonic())
            connections.begin(transfer)
        except (pycurl.error, ValueError, TypeError, OverflowError) as fault:
            transfer.easy.close()
            self._settle(sending, Reason.BROKEN, f"The request can't be sent: {fault}")
            return False
        running = _Running(sending=sending, transfer=transfer, lane=lane)
        self._running[sending] = self._by_transfer[transfer] = running
        return True

    def _finish(self, running: _Running, code: int, message: str) -> None:
        """Follows a redirect, else settles the request."""
        elapsed_s = time.monotonic() - running.sending.sent_at
        outcome = running.transfer.outcome(code, message, elapsed_s)
        step = _step_after(running, outcome)
        result = self._followed(running, step) if isinstance(step, Target) else step
        if result is not None:
            self._settled.append((running.sending, result))
            self._end(running)

    def _followed(self, running: _Running, target: Target) -> NoAnswer | None:
        """None where the request goes on to `target`."""
        sending = running.sending
        running.redirects += 1
        now = time.monotonic()
        try:
            running.transfer.aim(target, sending.ends_at - now)
            self._connections[sending.request.purpose].begin(running.transfer)
        except (pycurl.error, ValueError) as fault:
            detail = f"The redirect can't be followed: {fault}"
            return NoAnswer(reason=Reason.BROKEN, detail=detail, elapsed_s=now - sending.sent_at)
        return None

    def _abort(self, sending: Sending) -> None:
        """Drops a request without an outcome."""
        running = self._running.get(sending)
        if running is None:
            self._lanes.forget(sending)
            return
        self._connections[sending.request.purpose].end(running.transfer.easy)
        self._end(running)

    def _end(self, running: _Running) -> None:
        """Gives back the handle, and the place in the lane."""
        del self._running[running.sending], self._by_transfer[running.transfer]
        self._connections[running.sending.request.purpose].give_back(running.transfer)
        self._leave(running.lane)

    def _settle(self, sending: Sending, reason: Reason, detail: str) -> None:
        elapsed_s = time.monotonic() - sending.sent_at
        outcome = NoAnswer(reason=reason, detail=detail, elapsed_s=elapsed_s)
        self._settled.append((sending, outcome))

    def _hand_over(self) -> None:
        """One call for all that was settled since the last."""
        if self._settled:
            self._deliver(self._settled)
            self._settled = []


def _step_after(running: _Running, outcome: Outcome) -> Outcome | Target:
    """Where a redirect leads, or what the request ends with."""
    request = running.sending.request
    if not isinstance(outcome, Answer) or request.max_redirects == 0:
        return outcome
    if outcome.status not in _FOLLOWED or request.method != "GET":
        return outcome
    url = running.transfer.redirect_url()
    if url is None:
        return outcome
    target = target_of(url)
    elapsed_s = outcome.elapsed_s
    if running.redirects >= request.max_redirects:
        detail = f"More than {request.max_redirects} redirects."
        return NoAnswer(reason=Reason.TOO_MANY_REDIRECTS, detail=detail, elapsed_s=elapsed_s)
    if isinstance(target, BadUrl):
        detail = f"A redirect leads astray: {target.detail}"
        return NoAnswer(reason=Reason.BAD_URL, detail=detail, elapsed_s=elapsed_s)
    return target
