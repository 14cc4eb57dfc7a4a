"""A worker or a web process as users run it, that ends or stops itself at a point it is told.

Nothing of the hub knows of this: from outside, the public calls that points name are wrapped.
"""

import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import wraps
from multiprocessing.connection import Connection
from typing import Any

import hub.web.main
import workers.main
from hub import logs
from hub.outbound.connections import Connections
from hub.outbound.door import Door
from hub.outbound.request import Addressee, Request
from hub.outbound.sending import Batch, Sending
from hub.outbound.transfer import Transfer
from hub.settings import Settings
from hub.store.buckets import Buckets
from hub.store.limits import limits_of
from hub.store.log import Log
from hub.store.requests import Requests
from hub.store.scripts import load_scripts
from hub.store.store import Store
from hub.store.topics import Topics
from tests.crash.points import BEGINNING, POINTS, Call, Moment, Point
from tests.workers.hub_in_process import MOVED_CLOCK

QUICK = {"look_again": 50, "verify_after": 1}
_CALLS: tuple[tuple[type, str], ...] = (
    (Topics, "ping"),
    (Topics, "claim"),
    (Topics, "append"),
    (Requests, "accept"),
    (Requests, "claim"),
    (Requests, "settle"),
    (Buckets, "claim"),
    (Buckets, "settle"),
    (Buckets, "settle_late"),
    (Buckets, "expire"),
    (Log, "read"),
)
_POINTS = {point.name: point for point in (*POINTS, BEGINNING)}


class _Trap:
    """What the process is to do at which point; nothing until it is told."""

    def __init__(self) -> None:
        self._point: Point | None = None
        self._left = 0
        self._signal = signal.SIGKILL

    def set(self, point: Point, count: int, number: signal.Signals) -> None:
        self._left, self._signal = count, number
        self._point = point

    def has_sprung(self, name: str, moment: Moment, call: Call) -> bool:
        """Returns whether this was the point: the process has ended, or was stopped and woken."""
        point = self._point
        if point is None or (point.call, point.moment) != (name, moment) or not point.is_met(call):
            return False
        self._left -= 1
        if self._left > 0:
            return False
        self._point = None
        # To this thread: a stop that another one takes lets this one run on for a moment.
        signal.pthread_kill(threading.get_ident(), self._signal)
        return True


def run(
    kind: str, settings: Settings, limits: dict[str, int], log: str, orders: Connection
) -> None:
    """Runs a process of the hub until it is told to stop, as `websub-hub` does.

    Args:
        kind: worker or web.
        settings: of the hub.
        limits: of the scripts, where they are to be others.
        log: the file that it writes to.
        orders: names of points with counts and signals; the process ends with it.
    """
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    logs.set_up(log_format="text", log_level="info", process=f"{kind} {os.getpid()}")
    trap = _Trap()
    threading.Thread(target=_obey, args=(orders, trap), daemon=True).start()
    for owner, name in _CALLS:
        setattr(owner, name, _wrapped(owner, name, trap))
    for owner, name, call in (
        (Door, "send_to", _answers_counted(Door.send_to, trap)),
        (Connections, "begin", _beginnings_counted(Connections.begin, trap)),
        (Store, "of", staticmethod(_stores_with(limits))),
    ):
        setattr(owner, name, call)
    main = {"worker": workers.main.run, "web": hub.web.main.run}[kind]
    sys.exit(main(settings))


def _obey(orders: Connection, trap: _Trap) -> None:
    try:
        while True:
            name, count, number = orders.recv()
            trap.set(_POINTS[name], count, number)
            orders.send("armed")
    except (EOFError, OSError):
        os.kill(os.getpid(), signal.SIGKILL)


def _stores_with(limits: dict[str, int]) -> Callable[..., Store]:
    def of(settings: Settings, url: str, *, randomness: str) -> Store:
        return store_for(settings, url, limits, randomness=randomness)

    return of


def store_for(settings: Settings, url: str, limits: dict[str, int], *, randomness: str) -> Store:
    """Returns a store with the clock that the tests move."""
    scripts = load_scripts(
        key_prefix=settings.key_prefix,
        limits=replace(limits_of(settings), **(QUICK | limits)),
        clock=MOVED_CLOCK.replace("{prefix}", settings.key_prefix),
    )
    return Store(url, scripts, randomness=randomness)


def _wrapped(owner: type, method: str, trap: _Trap) -> Callable[..., Awaitable[Any]]:
    real = getattr(owner, method)
    name = f"{owner.__name__}.{method}"

    @wraps(real)
    async def call(self: object, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - any call
        was_stopped = trap.has_sprung(name, Moment.BEFORE, Call(arguments=arguments))
        answer = await real(self, *arguments, **named)
        if was_stopped:
            sys.stderr.write(f"resumed {name} {answer!r}\n")
        trap.has_sprung(name, Moment.AFTER, Call(arguments=arguments, answer=answer))
        return answer

    return call


def _answers_counted(
    real: Callable[[Door, Request, Sequence[Addressee]], Batch], trap: _Trap
) -> Callable[[Door, Request, Sequence[Addressee]], Batch]:
    def answered(sending: Sending) -> None:
        if not sending.cancelled():
            call = Call(arguments=(sending.batch.request,), answer=sending.result())
            trap.has_sprung("Door.send_to", Moment.ANSWERED, call)

    def send_to(self: Door, request: Request, addressees: Sequence[Addressee]) -> Batch:
        batch = real(self, request, addressees)
        for sending in batch.sendings:
            sending.add_done_callback(answered)
        return batch

    return send_to


def _beginnings_counted(
    real: Callable[[Connections, Transfer], None], trap: _Trap
) -> Callable[[Connections, Transfer], None]:
    def begin(self: Connections, transfer: Transfer) -> None:
        trap.has_sprung("Connections.begin", Moment.BEFORE, Call(arguments=(self._purpose,)))
        real(self, transfer)

    return begin
