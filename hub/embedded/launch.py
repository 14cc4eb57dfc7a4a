"""An embedded Redis made ready to start: server chosen, folder held and marked, orphan ended."""

import contextlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from hub.embedded.command import redis_command
from hub.embedded.folder import DataFolder, hold, mark_written_by, written_by
from hub.embedded.memory import half_of_memory
from hub.embedded.orphan import end_orphan
from hub.embedded.server import Server, choose_server
from hub.embedded.socket_folder import socket_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """What it takes to run an embedded Redis and to reach it."""

    server: Server
    folder: DataFolder
    socket: Path
    url: str
    command: tuple[str, ...]


@contextmanager
def embedded_redis(
    data: Path,
    *,
    servers: Iterable[Server],
    socket_roots: Iterable[Path],
    max_memory_bytes: int | None = None,
) -> Iterator[Embedded]:
    """Holds a data folder and returns how to run Redis on it; nothing is started here.

    Args:
        data: the data folder, made where it is missing.
        servers: what there is to run, best first.
        socket_roots: where the socket's folder may be made, best first.
        max_memory_bytes: what Redis may use; None for half of what there is.

    Raises:
        EmbeddedUnavailable: it cannot be had, and why.
    """
    folder = DataFolder(path=data)
    socket = socket_path(data, socket_roots)
    url = f"unix://{socket}"
    with hold(folder, url):
        server = choose_server(servers, written_by(folder))
        if pid := end_orphan(folder, socket):
            structlog.get_logger().warning("redis orphan ended", pid=pid)
        # Before the first start, not after it: a newer server changes the files at once.
        mark_written_by(folder, server.build)
        memory_bytes = max_memory_bytes or half_of_memory()
        command = redis_command(server, folder, socket, max_memory_bytes=memory_bytes)
        yield Embedded(server=server, folder=folder, socket=socket, url=url, command=command)
        with contextlib.suppress(OSError):  # a server that was killed has left its socket there
            socket.parent.rmdir()
