"""Keeps child processes alive: started stage by stage, restarted with backoff, ended in reverse."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from hub import clock
from hub.errors import HubError
from hub.serve.child import ChildSpec, end, start, sweep

BACKOFF_FIRST_S, BACKOFF_MOST_S = 0.1, 5.0
# Alive for so long, and the next end counts as the first again.
STEADY_S = 10.0
# Three stages within 5 s, and some time to spare.
GRACE_S = 1.5
READY_POLL_S = 0.05

log = structlog.get_logger()


class ChildGaveUp(HubError):
    """A child ended in a way that another start would not mend.

    Attributes:
        name: which child.
        exit_code: how it ended; negative for the signal that killed it.
    """

    def __init__(self, name: str, exit_code: int) -> None:
        self.name, self.exit_code = name, exit_code
        super().__init__(f"The {name} process ended with code {exit_code}.")


class Supervisor:
    """A tree of processes, as data: stages start in their order, and end in reverse.

    Attributes:
        waits_for: the child whose readiness is awaited just now, and what it lacks; empty when
            all are ready.
    """

    def __init__(self, stages: Sequence[Sequence[ChildSpec]], *, grace_s: float = GRACE_S) -> None:
        self.waits_for = ""
        self._stages = stages
        self._grace_s = grace_s
        self._ready: set[str] = set()
        self._keepers: list[list[asyncio.Task[None]]] = []

    async def run(self, stop: asyncio.Event, *, when_ready: Callable[[], None]) -> None:
        """Runs all children until `stop` is set; none is left when it returns or raises.

        Args:
            stop: ends everything, at any moment.
            when_ready: called once, when each child has been ready.

        Raises:
            ChildGaveUp: one child cannot be kept alive.
        """
        failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        opening = asyncio.ensure_future(self._open(when_ready, failure))
        _pass_on_failure(opening, failure)
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait((failure, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            opening.cancel()
            stopping.cancel()
            await self._end_all()
        if failure.done():
            failure.result()

    async def _open(self, when_ready: Callable[[], None], failure: asyncio.Future[None]) -> None:
        for stage in self._stages:
            keepers = [asyncio.ensure_future(self._keep(spec)) for spec in stage]
            self._keepers.append(keepers)
            for keeper in keepers:
                _pass_on_failure(keeper, failure)
            for spec in stage:
                await self._until_ready(spec)
        self.waits_for = ""
        when_ready()

    async def _until_ready(self, spec: ChildSpec) -> None:
        self.waits_for = spec.name
        while spec.fault and (fault := await spec.fault()):
            self.waits_for = f"{spec.name} ({fault})"
            await asyncio.sleep(READY_POLL_S)
        self._ready.add(spec.name)

    async def _keep(self, spec: ChildSpec) -> None:
        delay_s = BACKOFF_FIRST_S
        while True:
            started_s = clock.monotonic_s()
            exit_code = await self._run_once(spec)
            if self._is_final(spec, exit_code):
                raise ChildGaveUp(spec.name, exit_code)
            if clock.monotonic_s() - started_s >= STEADY_S:
                delay_s = BACKOFF_FIRST_S
            log.warning("child ended", child=spec.name, exit_code=exit_code, again_in_s=delay_s)
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, BACKOFF_MOST_S)

    def _is_final(self, spec: ChildSpec, exit_code: int) -> bool:
        # A signal is no fault of the child's: only what ended by itself would end so again.
        never_started = spec.must_start and spec.name not in self._ready and exit_code >= 0
        return never_started or exit_code in spec.final_exits

    async def _run_once(self, spec: ChildSpec) -> int:
        process = await start(spec)
        log.info("child started", child=spec.name, pid=process.pid)
        try:
            return await process.wait()
        except asyncio.CancelledError:
            await end(process, grace_s=self._grace_s)
            raise
        finally:
            sweep(process)

    async def _end_all(self) -> None:
        for stage in reversed(self._keepers):
            for keeper in stage:
                keeper.cancel()
            await asyncio.gather(*stage, return_exceptions=True)


def _pass_on_failure(task: asyncio.Task[None], failure: asyncio.Future[None]) -> None:
    def pass_on(ended: asyncio.Task[None]) -> None:
        if not ended.cancelled() and (error := ended.exception()) and not failure.done():
            failure.set_exception(error)

    task.add_done_callback(pass_on)
