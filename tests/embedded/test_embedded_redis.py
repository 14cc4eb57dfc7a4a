"""The embedded Redis itself: what it is set to, what a kill leaves, and who may still be there."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from redis import Redis, RedisError

from hub.embedded import orphan
from hub.embedded.faults import ServerTooOld
from hub.embedded.folder import DataFolder, mark_written_by
from hub.embedded.launch import Embedded, embedded_redis
from hub.embedded.memory import half_of_memory
from hub.embedded.server import Build, Kind, servers_on_this_machine

DEADLINE_S = 20


class Setup:
    """One data folder, prepared as often as a test likes."""

    def __init__(self, data: Path, socket_root: Path) -> None:
        self.folder = DataFolder(path=data)
        self._socket_root = socket_root

    def prepare(self, *, max_memory_bytes: int | None = None) -> AbstractContextManager[Embedded]:
        return embedded_redis(
            self.folder.path,
            servers=servers_on_this_machine(),
            socket_roots=[self._socket_root],
            max_memory_bytes=max_memory_bytes,
        )


@pytest.fixture
def setup(tmp_path: Path, socket_root: Path) -> Setup:
    return Setup(tmp_path / "data", socket_root)


@contextmanager
def running(embedded: Embedded) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(embedded.command) as process:
        try:
            wait_until_it_answers(embedded.socket)
            yield process
        finally:
            process.kill()


def client_of(socket: Path) -> "Redis":
    return Redis(unix_socket_path=str(socket), decode_responses=True)


def wait_until_it_answers(socket: Path) -> None:
    until_s = time.monotonic() + DEADLINE_S
    while True:
        try:
            with client_of(socket) as client:
                client.ping()
        except RedisError:
            assert time.monotonic() < until_s, "Redis did not answer in time"
            time.sleep(0.01)
        else:
            return


def test_it_answers_on_its_socket_alone_with_the_settings_the_hub_counts_on(setup: Setup) -> None:
    wanted = {
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "port": "0",
        "save": "",
        "hash-max-ziplist-entries": "256",
        "hash-max-ziplist-value": "256",
        "stream-node-max-bytes": "1024",
        "maxmemory": str(half_of_memory()),
    }
    with setup.prepare() as embedded, running(embedded), client_of(embedded.socket) as client:
        assert {name: client.config_get(name)[name] for name in wanted} == wanted


def test_its_memory_is_what_the_settings_say(setup: Setup) -> None:
    with (
        setup.prepare(max_memory_bytes=20_000_000) as embedded,
        running(embedded),
        client_of(embedded.socket) as client,
    ):
        assert client.config_get("maxmemory") == {"maxmemory": "20000000"}


def test_what_it_acknowledged_before_a_kill_is_there_after_it(setup: Setup) -> None:
    acknowledged: list[int] = []

    def write(socket: Path) -> None:
        with client_of(socket) as client:
            for number in range(1_000_000):
                try:
                    client.rpush("log", number)
                except RedisError:
                    return
                acknowledged.append(number)

    with setup.prepare() as embedded:
        with running(embedded) as process:
            writer = threading.Thread(target=write, args=(embedded.socket,))
            writer.start()
            while len(acknowledged) < 500:
                time.sleep(0.001)
            process.kill()
            writer.join()
        with running(embedded), client_of(embedded.socket) as client:
            kept = [int(number) for number in client.lrange("log", 0, -1)]
    assert kept[: len(acknowledged)] == acknowledged
    assert len(kept) <= len(acknowledged) + 1


def test_a_write_cut_off_by_the_kill_does_not_stop_the_next_start(setup: Setup) -> None:
    with setup.prepare() as embedded:
        with running(embedded) as process, client_of(embedded.socket) as client:
            client.set("key", "value")
            process.kill()
        (file,) = setup.folder.redis.glob("append*.aof")
        with file.open("ab") as log:
            log.write(b"*3\r\n$3\r\nSET\r\n$3\r\nke")
        with running(embedded), client_of(embedded.socket) as client:
            assert client.get("key") == "value"


def test_an_orphan_is_ended_cleanly_and_what_it_held_is_kept(setup: Setup) -> None:
    with setup.prepare() as embedded, running(embedded) as process:
        with client_of(embedded.socket) as client:
            client.set("key", "value")
        # The folder's lock is gone with the serve that held it, the server is not.
        assert orphan.end_orphan(setup.folder, embedded.socket) == process.pid
        assert process.wait(DEADLINE_S) == 0
    with setup.prepare() as embedded, running(embedded), client_of(embedded.socket) as client:
        assert client.get("key") == "value"


def test_an_orphan_without_a_pid_file_is_found_on_its_socket(setup: Setup) -> None:
    with setup.prepare() as embedded, running(embedded) as process:
        setup.folder.pid_file.unlink()
        assert orphan.end_orphan(setup.folder, embedded.socket) == process.pid


def test_an_orphan_that_does_not_answer_is_killed(setup: Setup) -> None:
    with setup.prepare() as embedded, running(embedded) as process:
        process.send_signal(signal.SIGSTOP)
        assert orphan.end_orphan(setup.folder, embedded.socket, term_s=0.1) == process.pid
        assert process.wait(DEADLINE_S) == -signal.SIGKILL


def test_a_process_that_has_an_old_servers_number_is_left_alone(setup: Setup) -> None:
    with setup.prepare() as embedded:
        setup.folder.pid_file.write_text(str(os.getpid()))
        assert orphan.end_orphan(setup.folder, embedded.socket) is None


def test_the_next_start_ends_the_orphan_by_itself(setup: Setup) -> None:
    with contextlib.ExitStack() as first_serve:
        embedded = first_serve.enter_context(setup.prepare())
        with running(embedded) as process:
            first_serve.close()
            with setup.prepare():
                assert process.wait(DEADLINE_S) == 0


def test_the_folder_says_what_writes_it_before_anything_is_written(setup: Setup) -> None:
    with setup.prepare() as embedded:
        assert str(embedded.server.build).split()[1] in setup.folder.version.read_text()
        assert not list(setup.folder.redis.iterdir())


def test_a_folder_of_a_newer_server_is_refused_and_left_as_it_is(setup: Setup) -> None:
    setup.folder.path.mkdir()
    mark_written_by(setup.folder, Build(kind=Kind.REDIS, version=(99, 0, 0)))
    before = setup.folder.version.read_text()
    with pytest.raises(ServerTooOld, match=r"written by redis 99\.0\.0"), setup.prepare():
        pass
    assert setup.folder.version.read_text() == before
