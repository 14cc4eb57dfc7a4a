"""Processes of the hub, forked off a server that has imported all of it: a start is quick."""

import multiprocessing
import os
import signal
from collections.abc import Mapping
from pathlib import Path

from hub.settings import Settings
from tests.crash.doomed import run
from tests.crash.points import Point
from tests.workers.waiting import eventually

_END_S = 10.0
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["pytest", "tests.crash.doomed"])


class Child:
    """A worker or a web process."""

    def __init__(self, kind: str, settings: Settings, limits: Mapping[str, int], log: Path) -> None:
        """Starts it."""
        self._orders, theirs = _context.Pipe()
        arguments = (kind, settings, dict(limits), str(log), theirs)
        self._process = _context.Process(target=run, args=arguments, daemon=True)
        self._process.start()
        theirs.close()

    @property
    def is_running(self) -> bool:
        return self._process.exitcode is None

    async def arm(self, point: Point, count: int, number: signal.Signals) -> None:
        """Returns once it will get this signal from itself at the count-th time at this point."""
        self._orders.send((point.name, count, number))
        await eventually(self._orders.poll, _END_S)
        self._orders.recv()

    def signal(self, number: signal.Signals) -> None:
        if self.is_running and self._process.pid is not None:
            os.kill(self._process.pid, number)

    async def until_ended(self, within_s: float = _END_S) -> int:
        """Returns the exit code, below 0 the signal that ended it."""
        await eventually(lambda: not self.is_running, within_s)
        self._orders.close()
        code = self._process.exitcode
        assert code is not None
        return code

    async def until_stopped(self, within_s: float = _END_S) -> None:
        """Returns once it has been stopped by SIGSTOP."""
        state = Path(f"/proc/{self._process.pid}/stat")
        await eventually(lambda: state.read_text().rpartition(")")[2].split()[0] == "T", within_s)

    async def kill(self) -> None:
        if self.is_running:
            self.signal(signal.SIGKILL)
            await self.until_ended()
