"""The worker process where it cannot work."""

import os
import signal
import subprocess
import sys

import pytest

from hub.exits import EXIT_SETTINGS

STOP_S = 2

pytestmark = pytest.mark.slow


def worker(redis_url: str) -> "subprocess.Popen[str]":
    words = [sys.executable, "-m", "hub", "worker", "--redis-url", redis_url]
    return subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=dict(os.environ))


def test_one_that_still_waits_for_redis_ends_when_told() -> None:
    with worker("unix:///nowhere/redis.sock") as process:
        assert process.stderr
        assert "waiting for Redis" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_S) == 0
        assert process.stderr.read() == ""


def test_a_database_that_is_not_there_ends_it_with_a_sentence(redis_url: str) -> None:
    with worker(f"{redis_url}?db=77") as process:
        _, errors = process.communicate(timeout=10)
    assert process.returncode == EXIT_SETTINGS
    assert len(errors.splitlines()) == 1
    assert "Redis does not have the database of WEBSUB_HUB_REDIS_URL" in errors
