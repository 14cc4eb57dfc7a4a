"""A Redis that a killed `serve` left behind: found, made sure to be ours, and ended.

It is found by its pid file, or on its socket. A process id says little, since the number may be
somebody else's by now: ours is the one whose working folder is Redis's folder, or, on a system
without /proc, the one that answers on the socket with that number.
"""

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any

import redis

from hub import clock
from hub.embedded.faults import OrphanStuck
from hub.embedded.folder import DataFolder

TERM_S = 5
KILL_S = 5
POLL_S = 0.02
ANSWER_TIMEOUT_S = 1
PROC_SELF = Path("/proc/self")


def end_orphan(folder: DataFolder, socket: Path, *, term_s: float = TERM_S) -> int | None:
    """Returns the process id of the Redis that was ended; None where there was none.

    SIGTERM is to Redis what SHUTDOWN is: it writes out what it holds. Where it has not ended by
    `term_s` (a disk that does not answer) it is killed; what it acknowledged is on disk already.

    Raises:
        OrphanStuck: it is still there after both.
    """
    ours = [pid for pid in _candidates(folder, socket) if _is_ours(pid, folder, socket)]
    for pid in ours:
        _end(pid, folder, term_s)
    return ours[0] if ours else None


def _end(pid: int, folder: DataFolder, term_s: float) -> None:
    for number, patience_s in ((signal.SIGTERM, term_s), (signal.SIGKILL, KILL_S)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if _has_ended(pid, folder, patience_s):
            return
    raise OrphanStuck(
        f"The Redis of an earlier start, process {pid}, does not end: end it by hand."
    )


def _candidates(folder: DataFolder, socket: Path) -> set[int]:
    with contextlib.suppress(OSError, ValueError):
        return {int(folder.pid_file.read_text(encoding="ascii"))}
    # Somebody removed the pid file: two servers on one file would spoil it, so ask the socket too.
    return {int(str(facts["process_id"])) for facts in _answer(socket)}


def _is_ours(pid: int, folder: DataFolder, socket: Path) -> bool:
    if PROC_SELF.exists():
        return _works_in(pid, folder)
    return any(facts["process_id"] == pid for facts in _answer(socket))


def _works_in(pid: int, folder: DataFolder) -> bool:
    try:
        place = PROC_SELF.with_name(str(pid)).joinpath("cwd").resolve(strict=True)
    except OSError:  # it ended, or is another user's
        return False
    return place == folder.redis.resolve()


def _answer(socket: Path) -> list[dict[str, object]]:
    """Returns what the server on the socket says of itself; nothing where none answers."""
    if not socket.exists():
        return []
    client = redis.Redis(unix_socket_path=str(socket), socket_timeout=ANSWER_TIMEOUT_S)
    try:
        facts: Any = client.info("server")
    except redis.RedisError:
        return []
    else:
        return [facts]
    finally:
        client.close()


def _has_ended(pid: int, folder: DataFolder, patience_s: float) -> bool:
    until_s = clock.monotonic_s() + patience_s
    while _is_running(pid, folder):
        if clock.monotonic_s() > until_s:
            return False
        time.sleep(POLL_S)
    return True


def _is_running(pid: int, folder: DataFolder) -> bool:
    if PROC_SELF.exists():
        return _works_in(pid, folder)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
