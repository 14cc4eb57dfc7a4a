"""`websub-hub serve` as a process: starts, refuses, ends, and is killed."""

import itertools
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis import Redis, RedisError

from hub.embedded.folder import DataFolder, running_redis_url
from hub.exits import EXIT_SETTINGS
from hub.serve.main import hub_stages, welcome
from hub.serve.supervisor import BACKOFF_MOST_S
from hub.settings import Settings

DEADLINE_S = 30
STOP_S = 5

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def sockets_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="hub-", dir="/tmp") as root:
        monkeypatch.setenv("XDG_RUNTIME_DIR", root)
        yield


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def command(data: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "hub", "serve", "--data", str(data), "--port", str(port)]


def ignore_interrupts() -> None:
    """As a shell does for what a script starts in the background."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def serve(data: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(
        command(data, free_port()), start_new_session=True, preexec_fn=ignore_interrupts
    ) as process:
        try:
            client(data).ping()
            yield process
        finally:
            process.kill()


def client(data: Path) -> "Redis":
    """A client of the embedded Redis, once that answers."""
    until_s = time.monotonic() + DEADLINE_S
    while True:
        url = running_redis_url(data)
        try:
            if url:
                found = Redis.from_url(url, decode_responses=True)
                found.ping()
                return found
        except RedisError:
            pass
        assert time.monotonic() < until_s, "the embedded Redis did not answer in time"
        time.sleep(0.02)


def redis_pid(data: Path) -> int:
    return int(DataFolder(path=data).pid_file.read_text())


def wait_for_end(pid: int, within_s: float) -> None:
    until_s = time.monotonic() + within_s
    while Path(f"/proc/{pid}/cwd").exists():
        assert time.monotonic() < until_s, f"process {pid} did not end in time"
        time.sleep(0.01)


def wait_until_ready(port: int) -> None:
    until_s = time.monotonic() + DEADLINE_S
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz"):
                return
        except OSError:
            assert time.monotonic() < until_s, "the hub did not get ready in time"
            time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_stop_ends_everything_within_five_seconds(tmp_path: Path, number: signal.Signals) -> None:
    with serve(tmp_path / "data") as process:
        redis = redis_pid(tmp_path / "data")
        process.send_signal(number)
        assert process.wait(STOP_S) == 0
        assert not Path(f"/proc/{redis}/cwd").exists()
    assert running_redis_url(tmp_path / "data") is None


def test_a_second_serve_on_the_folder_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serve(data) as first:
        second = subprocess.run(
            command(data, free_port()), capture_output=True, text=True, check=False
        )
        assert second.returncode == EXIT_SETTINGS
        assert f"{data} is in use by process {first.pid}:" in second.stderr
        assert client(data).ping()


def test_a_port_in_use_ends_it_with_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ended = subprocess.run(command(tmp_path, port), capture_output=True, text=True, check=False)
    assert ended.returncode == EXIT_SETTINGS
    assert f"Cannot listen on 127.0.0.1 port {port}" in ended.stderr


def test_a_database_that_is_not_there_ends_it_with_one_sentence(redis_url: str) -> None:
    words = [sys.executable, "-m", "hub", "serve", "--port", str(free_port())]
    ended = subprocess.run(
        [*words, "--redis-url", f"{redis_url}?db=77"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == EXIT_SETTINGS
    assert ended.stderr == (
        "websub-hub: Redis does not have the database of WEBSUB_HUB_REDIS_URL (DB index is out of "
        "range): choose another number at its end (--redis-url).\n"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is full")
def test_a_log_on_a_full_disk_stops_neither_it_nor_the_return_of_a_child(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    with (
        open("/dev/full", "wb") as full,
        subprocess.Popen(command(data, port), stdout=full, stderr=full) as process,
    ):
        client(data).set("key", "value")
        os.kill(redis_pid(data), signal.SIGKILL)
        wait_for_end(redis_pid(data), BACKOFF_MOST_S)
        assert client(data).get("key") == "value"
        wait_until_ready(port)
        with pytest.raises(subprocess.TimeoutExpired):  # nor does the welcome end it
            process.wait(0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_S) == 0


def test_a_hub_that_does_not_get_ready_says_why(tmp_path: Path) -> None:
    most = {**os.environ, "WEBSUB_HUB_MIN_FREE_DISK_BYTES": str(2**62)}
    with subprocess.Popen(
        command(tmp_path, free_port()), stderr=subprocess.PIPE, text=True, env=most
    ) as process:
        assert process.stderr
        said = next(line for line in process.stderr if "not ready" in line)
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert "The disk of the data folder has" in said


def test_a_data_folder_that_cannot_be_made_ends_it_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    data = tmp_path / "file" / "data"
    ended = subprocess.run(command(data, free_port()), capture_output=True, text=True, check=False)
    assert ended.returncode == EXIT_SETTINGS
    assert ended.stderr == (
        f"websub-hub: The data folder {data} cannot be used (Not a directory): give this user a "
        "folder to write in, or choose another with --data (WEBSUB_HUB_DATA).\n"
    )


def test_a_killed_redis_comes_back_with_what_it_acknowledged(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serve(data):
        client(data).set("key", "value")
        os.kill(redis_pid(data), signal.SIGKILL)
        wait_for_end(redis_pid(data), BACKOFF_MOST_S)
        assert client(data).get("key") == "value"


def test_a_killed_serve_takes_redis_along_and_does_not_stop_the_next(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serve(data) as process:
        client(data).set("key", "value")
        redis = redis_pid(data)
        process.kill()
        process.wait()
        if sys.platform == "linux":
            wait_for_end(redis, STOP_S)
    with serve(data):
        assert client(data).get("key") == "value"


def test_a_redis_that_outlived_its_serve_does_not_stop_the_next(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serve(data) as process:
        client(data).set("key", "value")
        redis = redis_pid(data)
        os.kill(redis, signal.SIGSTOP)  # so that it cannot hear of its parent's death
        process.kill()
        process.wait()
    with serve(data):
        assert client(data).get("key") == "value"
        assert redis_pid(data) != redis


def test_a_redis_that_does_not_start_ends_it_with_the_servers_own_words(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serve(data) as process:
        client(data).set("key", "value")
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_S)
    (file,) = DataFolder(path=data).redis.glob("append*.aof")
    file.write_bytes(b"nonsense" + file.read_bytes())
    ended = subprocess.run(command(data, free_port()), capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "The redis process ended with code 1." in ended.stderr
    assert "Bad file format reading the append only file" in ended.stderr


def test_a_secret_is_handed_down_where_no_other_user_can_read_it() -> None:
    settings = Settings(redis_url=SecretStr("redis://:hunter2@host/0"))
    for spec in itertools.chain(*hub_stages(settings)):
        assert "hunter2" in spec.environment["WEBSUB_HUB_REDIS_URL"]
        assert "hunter2" not in repr(spec)


def test_the_hub_has_as_many_workers_as_are_set() -> None:
    workers, (web,) = hub_stages(Settings(workers=3))
    assert [spec.name for spec in (*workers, web)] == ["worker-1", "worker-2", "worker-3", "web"]


def test_the_welcome_says_where_the_hub_is() -> None:
    text = welcome(Settings(public_url="https://hub.example"))
    assert text.startswith("The hub is ready at https://hub.example/ ")
    assert text.count("\n") == 1


def test_it_says_that_it_is_ready_once_a_request_would_be_worked_on(tmp_path: Path) -> None:
    port = free_port()
    with subprocess.Popen(command(tmp_path, port), stdout=subprocess.PIPE) as process:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith(b"The hub is ready at http://127.0.0.1:%d/ " % port)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(STOP_S) == 0


def test_a_folder_named_hub_where_serve_is_started_is_not_taken_for_the_hub(
    tmp_path: Path,
) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "__init__.py").write_text("raise SystemExit('the wrong hub')")
    for stage in hub_stages(Settings(redis_url=SecretStr("redis://localhost"))):
        for spec in stage:
            program = [word for word in spec.command if word != "--supervised"]
            done = subprocess.run([*program, "--help"], cwd=tmp_path, capture_output=True)
            assert (done.returncode, done.stderr) == (0, b"")
