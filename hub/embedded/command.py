"""How the embedded Redis is started: a unix socket alone, each write on disk first."""

from pathlib import Path

from hub.embedded.folder import DataFolder
from hub.embedded.server import Server

# 7.0 and Valkey call the first two -listpack- and still take these older names.
CONFIG = (
    ("hash-max-ziplist-entries", "256"),  # a subscription takes 112-128 B instead of 169
    ("hash-max-ziplist-value", "256"),
    ("stream-node-max-bytes", "1024"),  # a stream with one event takes 1.9 kB instead of 4.3
    ("appendonly", "yes"),
    ("appendfsync", "always"),  # everysec loses what was accepted whenever an fsync is slow
    ("aof-load-truncated", "yes"),  # a killed server's last write may be cut off: unanswered still
    ("save", ""),
    ("maxmemory-policy", "noeviction"),
    ("port", "0"),
    ("unixsocketperm", "700"),
    ("daemonize", "no"),
    ("loglevel", "warning"),
)


def redis_command(
    server: Server, folder: DataFolder, socket: Path, *, max_memory_bytes: int
) -> tuple[str, ...]:
    """Returns the command line that runs a server on a data folder and a socket, in front."""
    particulars = (
        ("maxmemory", str(max_memory_bytes)),
        ("unixsocket", str(socket)),
        ("dir", str(folder.redis.resolve())),
        ("pidfile", str(folder.pid_file.resolve())),
        ("logfile", str(folder.log.resolve())),
    )
    options = (part for name, value in (*CONFIG, *particulars) for part in (f"--{name}", value))
    return (str(server.executable), *options)
