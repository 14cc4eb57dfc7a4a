"""A Redis of one test's own, to be filled, killed and started again."""

import signal
import socket
import subprocess
import time
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from hub.embedded.server import choose_server, servers_on_this_machine

START_TIMEOUT_S = 10


class OwnServer:
    """A server with an append-only file that is synced before each answer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.url = f"unix://{folder}/redis.sock"

    def start(self, *options: str, port: int = 0) -> None:
        self.port = port
        command = [
            str(choose_server(servers_on_this_machine(), None).executable),
            *f"--port {port} --bind 127.0.0.1 --unixsocket {self._folder}/redis.sock".split(),
            *f"--dir {self._folder} --logfile log --appendonly yes".split(),
            *("--appendfsync", "always", "--save", "", *options),
        ]
        self._process = subprocess.Popen(command)
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            try:
                with self.redis() as redis:
                    redis.ping()
            except (RedisError, OSError):
                time.sleep(0.01)
            else:
                return
        raise AssertionError("the server did not start")

    def redis(self) -> Redis:
        return Redis.from_url(self.url)

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def stop(self) -> None:
        """Ends it the short way: a replica that writes its first file ignores SIGTERM."""
        if self._process is not None and self._process.poll() is None:
            self.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
