"""Processes as /proc shows them: what each has cost so far, and holds."""

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

# The counters of the processor tick so often.
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process as /proc shows it."""

    pid: int
    command: str

    def cpu_s(self) -> float:
        """Processor time so far, of all its threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * TICK_S

    def rss_bytes(self) -> int:
        """Resident memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


def process(pid: int) -> Process:
    """The process of that number."""
    command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return Process(pid=pid, command=command)


def processes_of(parent: int) -> list[Process]:
    """The children of a process, and theirs."""
    found: list[Process] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent:
                found.append(process(int(entry.name)))
                found += processes_of(int(entry.name))
    return found


class Spent:
    """Processor time of named groups of processes, within a `with` block."""

    def __init__(self, groups: Mapping[str, Iterable[Process]]) -> None:
        self._groups = {name: list(processes) for name, processes in groups.items()}
        self.cpu_s: dict[str, float] = {}

    @contextlib.contextmanager
    def measured(self) -> Iterator[None]:
        """Sets `cpu_s` at the end of the block."""
        before = self._so_far()
        yield
        after = self._so_far()
        self.cpu_s = {name: after[name] - before[name] for name in before}

    def _so_far(self) -> dict[str, float]:
        return {name: sum(one.cpu_s() for one in group) for name, group in self._groups.items()}
