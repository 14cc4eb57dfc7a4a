"""The web process as a whole, on a real Redis."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr

from hub.embedded.folder import DataFolder, hold
from hub.exits import EXIT_SETTINGS
from hub.protocol.requests import SignatureMethod
from hub.settings import Settings
from hub.web.face import Face
from hub.web.main import disk_of, policy_of
from hub.web.room import Disk
from tests.store.own_server import OwnServer

FORM = {
    "hub.mode": "subscribe",
    "hub.topic": "http://t.example/",
    "hub.callback": "http://s.example/",
}
HTTP = Face(hub_url="http://h/", request_max_bytes=1)
HTTPS = Face(hub_url="HTTPS://h/", request_max_bytes=1)


@asynccontextmanager
async def web_process(
    port: int,
    redis_url: str,
    key_prefix: str,
    given: Mapping[str, str] | None = None,
    *,
    shell: str = "",
) -> AsyncIterator[Process]:
    """Runs a web process in a shell that is told something before."""
    words = (sys.executable, "-m", "hub", "web", "--port", str(port), "--redis-url", redis_url)
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", f'{shell}\nexec "$@"', "sh", *words),
        env={**os.environ, **(given or {}), "WEBSUB_HUB_KEY_PREFIX": key_prefix},
        stdout=DEVNULL,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def started(process: Process) -> str:
    """Returns what was logged until the process takes requests."""
    assert process.stderr is not None
    said = ""
    async with asyncio.timeout(10):
        async for line in process.stderr:
            said += line.decode()
            if "web started" in said:
                return said
    raise AssertionError(said)


async def listens(port: int) -> None:
    """Returns when something listens there."""
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
        return number


@pytest.mark.slow
async def test_it_takes_requests_and_ends_when_told(
    port: int, redis_url: str, key_prefix: str
) -> None:
    url = f"http://127.0.0.1:{port}/"
    async with (
        web_process(port, redis_url, key_prefix) as process,
        aiohttp.ClientSession() as session,
    ):
        await started(process)
        async with session.post(url, data=FORM) as response:
            assert response.status == 202
        async with session.post(url, data={"hub.mode": "publish", "hub.url": "http://t/"}) as ping:
            assert ping.status == 204
        async with session.get(f"{url}readyz") as readiness:
            assert (readiness.status, "worker" in await readiness.text()) == (503, True)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(5):
            assert await process.wait() == 0


@pytest.mark.slow
async def test_a_port_in_use_is_somebodys_to_change(redis_url: str, key_prefix: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        async with web_process(taken.getsockname()[1], redis_url, key_prefix) as process:
            async with asyncio.timeout(10):
                _, errors = await process.communicate()
    assert process.returncode == EXIT_SETTINGS
    assert b"cannot listen" in errors
    assert b"Traceback" not in errors


@pytest.mark.slow
async def test_a_database_that_is_not_there_ends_it_with_a_sentence(
    port: int, redis_url: str, key_prefix: str
) -> None:
    async with web_process(port, f"{redis_url}?db=77", key_prefix) as process:
        async with asyncio.timeout(10):
            _, errors = await process.communicate()
    assert process.returncode == EXIT_SETTINGS
    assert errors.count(b"Redis does not have the database of WEBSUB_HUB_REDIS_URL") == 1
    assert b"Traceback" not in errors


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is full")
async def test_a_log_on_a_full_disk_fails_no_request(
    port: int, redis_url: str, key_prefix: str
) -> None:
    url = f"http://127.0.0.1:{port}/"
    async with (
        web_process(port, redis_url, key_prefix, shell="exec 2>/dev/full") as process,
        aiohttp.ClientSession() as session,
    ):
        await listens(port)
        async with session.post(url, data=FORM) as response:
            assert response.status == 202
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(5):
            assert await process.wait() == 0


@pytest.mark.slow
async def test_more_connections_than_descriptors_keep_nobody_out_and_do_not_fill_the_log(
    port: int, redis_url: str, key_prefix: str
) -> None:
    url = f"http://127.0.0.1:{port}/"
    async with (
        web_process(port, redis_url, key_prefix, shell="ulimit -n 128") as process,
        aiohttp.ClientSession() as session,
    ):
        await started(process)
        connecting = (asyncio.open_connection("127.0.0.1", port) for _ in range(300))
        idle = await asyncio.gather(*connecting)
        async with asyncio.timeout(5), session.post(url, data=FORM) as response:
            assert response.status == 202
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            _, said = await process.communicate()
        for _, writer in idle:
            writer.close()
    assert said.count(b"too many connections") == 1
    assert len(said.splitlines()) < 10


@pytest.mark.slow
async def test_without_redis_it_lives_and_accepts_nothing(port: int, key_prefix: str) -> None:
    url = f"http://127.0.0.1:{port}/"
    async with (
        web_process(port, "unix:///nowhere/redis.sock", key_prefix) as process,
        aiohttp.ClientSession() as session,
    ):
        await started(process)
        async with session.post(url, data=FORM) as response:
            assert response.status == 503
            assert response.headers["Retry-After"] == "5"
        async with session.get(f"{url}livez") as liveness:
            assert liveness.status == 200
        async with session.get(f"{url}readyz") as readiness:
            assert readiness.status == 503


@pytest.mark.slow
async def test_without_room_in_memory_subscriptions_and_pings_are_sent_away_for_a_while(
    port: int, key_prefix: str, tmp_path: Path
) -> None:
    server, url = OwnServer(tmp_path), f"http://127.0.0.1:{port}/"
    server.start("--maxmemory", "1")
    async with (
        web_process(port, server.url, key_prefix) as process,
        aiohttp.ClientSession() as session,
    ):
        await started(process)
        for form in (FORM, {"hub.mode": "publish", "hub.url": "http://t/"}):
            async with session.post(url, data=form) as response:
                assert (response.status, response.headers["Retry-After"]) == (503, "60")
        async with session.get(f"{url}readyz") as readiness:
            said = await readiness.text()
            assert (readiness.status, said) == (503, "There is no room for anything new.\n")
    server.stop()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("host", "public_url", "is_warned"),
    [("0.0.0.0", "", True), ("0.0.0.0", "https://hub.example/", False), ("127.0.0.1", "", False)],
    ids=["every address", "every address, with a public URL", "loopback"],
)
async def test_a_hub_that_cannot_know_its_url_says_what_to_set(
    port: int, redis_url: str, key_prefix: str, host: str, public_url: str, *, is_warned: bool
) -> None:
    given = {"WEBSUB_HUB_HOST": host, "WEBSUB_HUB_PUBLIC_URL": public_url}
    async with web_process(port, redis_url, key_prefix, given) as process:
        said = await started(process)
    assert ("set WEBSUB_HUB_PUBLIC_URL to what the world calls the hub" in said) is is_warned


def test_the_disk_is_watched_only_under_the_redis_of_the_data_folder(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", min_free_disk_bytes=1)
    ours, other = "unix:///run/ours.sock", "redis://localhost"
    assert disk_of(settings, ours) is None
    with hold(DataFolder(path=settings.data), ours):
        disk = disk_of(settings, ours)
        assert isinstance(disk, Disk)
        assert (disk.folder, disk.min_free_bytes) == (settings.data, 1)
        assert disk_of(settings, other) is None
    assert disk_of(settings, other) is None


def test_settings_become_the_policy() -> None:
    policy = policy_of(Settings(lease_min_s=5, signature_method="sha512"), HTTP)
    assert (policy.lease.min_s, policy.signature) == (5, SignatureMethod.SHA512)
    assert policy_of(Settings(), HTTP).signature is None


@pytest.mark.parametrize(
    ("settings", "topics", "callbacks"),
    [
        (Settings(), False, False),
        (Settings(dev=True), True, True),
        (Settings(topics_allow="127.0.0.0/8"), True, False),  # type: ignore[arg-type]
        (Settings(callbacks_allow="127.0.0.0/8"), False, True),  # type: ignore[arg-type]
    ],
)
def test_closed_hosts_are_those_that_the_door_would_not_connect_to(
    settings: Settings, topics: bool, callbacks: bool
) -> None:
    policy = policy_of(settings, HTTP)
    assert policy.topic_hosts is not None
    assert policy.callback_hosts is not None
    assert policy.topic_hosts("127.0.0.1") is topics
    assert policy.callback_hosts("127.0.0.1") is callbacks
    assert policy.topic_hosts("blog.example")


def test_behind_a_proxy_no_host_is_closed() -> None:
    policy = policy_of(Settings(proxy_url=SecretStr("http://proxy.example:3128")), HTTP)
    assert policy.topic_hosts is policy.callback_hosts is None


@pytest.mark.parametrize(
    ("face", "handling", "is_refused"),
    [(HTTP, "accept", False), (HTTP, "refuse", True), (HTTPS, "refuse", False)],
)
def test_secrets_are_refused_only_where_requests_come_over_http(
    face: Face, handling: str, is_refused: bool
) -> None:
    settings = Settings.model_validate({"secret_over_http": handling})
    assert policy_of(settings, face).secret_refused is is_refused
