"""Children are started in stages, kept alive, and ended in reverse within a bounded time."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from hub.serve.child import ChildSpec
from hub.serve.supervisor import ChildGaveUp, Supervisor

DEADLINE_S = 15
# Each child notes its start and its end, and does what its last line says in between.
CHILD = """
import os, signal, sys, time
def note(what):
    with open(sys.argv[1], "a") as journal:
        journal.write(f"{what} {sys.argv[2]} {os.getpid()}\\n")
def leave(*_):
    note("end")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
note("start")
"""
WAIT = "time.sleep(600)"


class Journal:
    """What the children wrote down, in order."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def lines(self) -> list[str]:
        return [line.rpartition(" ")[0] for line in self.path.read_text().splitlines()]

    def pids(self, name: str) -> list[int]:
        entries = (line.split() for line in self.path.read_text().splitlines())
        return [int(pid) for what, who, pid in entries if (what, who) == ("start", name)]

    def spec(
        self,
        name: str,
        does: str = WAIT,
        *,
        ready_when: Callable[[], bool] | None = None,
        must_start: bool = False,
    ) -> ChildSpec:
        async def fault() -> str | None:
            is_ready = ready_when() if ready_when else f"start {name}" in self.lines()
            return None if is_ready else "not yet"

        return ChildSpec(
            name=name,
            command=(sys.executable, "-c", CHILD + does, str(self.path), name),
            environment=dict(os.environ),
            fault=fault,
            final_exits=frozenset({98}),
            must_start=must_start,
        )


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal")


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not holds():  # noqa: ASYNC110 - another process is waited for
            await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@asynccontextmanager
async def supervised(
    *stages: tuple[ChildSpec, ...], grace_s: float = 1.5
) -> AsyncIterator[asyncio.Event]:
    """Runs stages until the test's block ends; gives an event that is set when all are ready."""
    stop, ready = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(
        Supervisor(stages, grace_s=grace_s).run(stop, when_ready=ready.set)
    )
    try:
        yield ready
    finally:
        stop.set()
        async with asyncio.timeout(DEADLINE_S):
            await running


async def test_a_stage_starts_when_the_one_before_is_ready_and_ends_before_it(
    journal: Journal,
) -> None:
    async with supervised((journal.spec("redis"),), (journal.spec("web"),)) as ready:
        await asyncio.wait_for(ready.wait(), DEADLINE_S)
    assert journal.lines() == ["start redis", "start web", "end web", "end redis"]


async def test_a_stage_waits_as_long_as_the_one_before_is_not_ready(journal: Journal) -> None:
    is_open = False
    redis = journal.spec("redis", ready_when=lambda: is_open)
    async with supervised((redis,), (journal.spec("web"),)) as ready:
        await until(lambda: bool(journal.pids("redis")))
        assert not ready.is_set()
        assert not journal.pids("web")
        is_open = True
        await asyncio.wait_for(ready.wait(), DEADLINE_S)


async def test_what_is_waited_for_is_named_and_what_it_lacks(journal: Journal) -> None:
    supervisor = Supervisor(((journal.spec("redis", ready_when=lambda: False),),))
    stop = asyncio.Event()
    running = asyncio.create_task(supervisor.run(stop, when_ready=lambda: None))
    await until(lambda: supervisor.waits_for == "redis (not yet)")
    stop.set()
    await running


async def test_a_killed_child_is_started_again_and_the_others_run_on(journal: Journal) -> None:
    stages = ((journal.spec("redis"),), (journal.spec("worker"), journal.spec("web")))
    async with supervised(*stages) as ready:
        await asyncio.wait_for(ready.wait(), DEADLINE_S)
        os.kill(journal.pids("worker")[0], signal.SIGKILL)
        await until(lambda: len(journal.pids("worker")) == 2)
        assert len(journal.pids("redis")) == len(journal.pids("web")) == 1


@pytest.mark.slow
async def test_a_child_that_keeps_ending_is_started_ever_more_rarely(journal: Journal) -> None:
    began_s = time.monotonic()
    async with supervised((journal.spec("web", "sys.exit(1)", ready_when=lambda: False),)):
        await until(lambda: len(journal.pids("web")) == 4)
    assert time.monotonic() - began_s >= 0.1 + 0.2 + 0.4


async def test_a_child_with_a_final_exit_code_ends_them_all(journal: Journal) -> None:
    web = journal.spec("web", "sys.exit(98)", ready_when=lambda: False)
    with pytest.raises(ChildGaveUp) as caught:
        await Supervisor(((journal.spec("redis"),), (web,))).run(
            asyncio.Event(), when_ready=lambda: None
        )
    assert (caught.value.name, caught.value.exit_code) == ("web", 98)
    assert journal.lines() == ["start redis", "start web", "end redis"]


async def test_a_child_that_must_start_and_does_not_ends_them_all(journal: Journal) -> None:
    redis = journal.spec("redis", "sys.exit(1)", ready_when=lambda: False, must_start=True)
    with pytest.raises(ChildGaveUp, match="The redis process ended with code 1"):
        await Supervisor(((redis,),)).run(asyncio.Event(), when_ready=lambda: None)


async def test_a_child_that_once_started_is_started_again(journal: Journal) -> None:
    async with supervised((journal.spec("redis", must_start=True),)) as ready:
        await asyncio.wait_for(ready.wait(), DEADLINE_S)
        os.kill(journal.pids("redis")[0], signal.SIGKILL)
        await until(lambda: len(journal.pids("redis")) == 2)


async def test_a_child_that_is_killed_while_it_starts_is_started_again(journal: Journal) -> None:
    redis = journal.spec("redis", ready_when=lambda: len(journal.pids("redis")) == 2)
    async with supervised((replace(redis, must_start=True),)) as ready:
        await until(lambda: bool(journal.pids("redis")))
        os.kill(journal.pids("redis")[0], signal.SIGKILL)
        await asyncio.wait_for(ready.wait(), DEADLINE_S)


async def test_a_program_that_is_missing_ends_them_all(journal: Journal) -> None:
    redis = journal.spec("redis", ready_when=lambda: False, must_start=True)
    missing = replace(redis, command=("/nonexistent",))
    with pytest.raises(ChildGaveUp):
        await Supervisor(((missing,),)).run(asyncio.Event(), when_ready=lambda: None)


async def test_a_stubborn_child_is_killed_after_the_grace(journal: Journal) -> None:
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN); note('deaf'); " + WAIT
    began_s = 0.0
    async with supervised((journal.spec("web", deaf),), grace_s=0.2):
        await until(lambda: "deaf web" in journal.lines())
        began_s = time.monotonic()
    assert 0.2 <= time.monotonic() - began_s < 1
    assert not is_alive(journal.pids("web")[0])


async def test_a_stop_while_things_still_start_ends_them(journal: Journal) -> None:
    async with supervised((journal.spec("redis", ready_when=lambda: False),)) as ready:
        await until(lambda: bool(journal.pids("redis")))
    assert not ready.is_set()
    assert journal.lines() == ["start redis", "end redis"]


@pytest.mark.slow
async def test_what_a_killed_child_started_itself_is_killed_too(journal: Journal) -> None:
    forks = "os.fork() or note('start-of-a'); " + WAIT
    async with supervised((journal.spec("worker", forks),)):
        await until(lambda: "start-of-a worker" in journal.lines())
        grandchild = int(journal.path.read_text().split()[-1])
        os.kill(journal.pids("worker")[0], signal.SIGKILL)
        await until(lambda: not is_alive(grandchild))


async def test_ctrl_c_on_the_terminal_does_not_reach_children(journal: Journal) -> None:
    async with supervised((journal.spec("redis"),)) as ready:
        await asyncio.wait_for(ready.wait(), DEADLINE_S)
        assert os.getpgid(journal.pids("redis")[0]) != os.getpgid(0)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals a parent's death")
async def test_children_die_with_a_supervisor_that_is_killed(journal: Journal) -> None:
    script = """
import asyncio, os, sys
from hub.serve.child import ChildSpec
from hub.serve.supervisor import Supervisor
spec = ChildSpec(name="worker", command=tuple(sys.argv[1:]), environment=dict(os.environ))
asyncio.run(Supervisor(((spec,),)).run(asyncio.Event(), when_ready=lambda: None))
"""
    command = [sys.executable, "-c", script, *journal.spec("worker").command]
    supervisor = await asyncio.create_subprocess_exec(*command)
    await until(lambda: bool(journal.pids("worker")))
    supervisor.kill()
    await supervisor.wait()
    await until(lambda: not is_alive(journal.pids("worker")[0]))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals a parent's death")
def test_a_child_whose_parent_is_gone_already_does_not_start() -> None:
    bound = Path(sys.modules["hub.serve.child"].__file__ or "").with_name("bound.py")
    ended = subprocess.run(
        [sys.executable, str(bound), "1", "9", "/bin/echo", "started"],
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, b"")
