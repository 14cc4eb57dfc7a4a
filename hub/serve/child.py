"""One child process: what it is, how it is started, and how it is ended within a bounded time."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

BOUND = Path(__file__).with_name("bound.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """What a child process is to be.

    Attributes:
        name: what logs call it.
        command: absolute path of the program and its arguments, which all can read: no secrets.
        environment: all of its environment.
        signal_at_parents_death: what it gets when the supervisor dies without ending it.
        fault: tells why it does not do its work yet, or None where it does; none of it where its
            start is enough.
        final_exits: exit codes after which another start would only end the same way.
        must_start: an end of its own accord before it was ever ready is final, too.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    signal_at_parents_death: signal.Signals = signal.SIGKILL
    fault: Callable[[], Awaitable[str | None]] | None = None
    final_exits: frozenset[int] = frozenset()
    must_start: bool = False


async def start(spec: ChildSpec) -> Process:
    """Returns the started child; Ctrl-C does not reach it, since its session is its own."""
    wrapper = (sys.executable, "-I", "-S", str(BOUND))
    bound_to = (str(os.getpid()), str(int(spec.signal_at_parents_death)))
    return await asyncio.create_subprocess_exec(
        *wrapper,
        *bound_to,
        *spec.command,
        stdin=DEVNULL,
        env=dict(spec.environment),
        start_new_session=True,
    )


async def end(process: Process, *, grace_s: float) -> None:
    """Ends a child by SIGTERM, and by SIGKILL where it has not ended after the grace."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    # Not asyncio.timeout: up to Python 3.11.2 it does not end within a task that was cancelled.
    ended = asyncio.ensure_future(process.wait())
    await asyncio.wait([ended], timeout=grace_s)
    if not ended.done():
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await ended


def sweep(process: Process) -> None:
    """Kills what an ended child has left of its own children; its session is theirs."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
