"""The hub as it is run: a web process, a worker process and a Redis, to be killed by a test."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
from redis import Redis

from hub.embedded.folder import DataFolder, running_redis_url
from tests.workers.own_redis import OwnRedis
from tests.workers.waiting import eventually_true

# Short enough that a test can wait until what a killed worker held falls due again.
SETTINGS = {
    "DEV": "true",
    "REQUEST_DEADLINE_S": "2",
    "CONNECT_TIMEOUT_S": "1",
    "PATIENCE_S": "2",
    "PATIENCE_NEWER_S": "0.2",
    "CLAIM_LEASE_S": "7",
    "FETCH_BURST": "1000",
    "REPAIR_INTERVAL_S": "1",
}


@asynccontextmanager
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """A connection for each request, since the process at the other end may be killed."""
    timeout = aiohttp.ClientTimeout(total=3)
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        yield session


@asynccontextmanager
async def running_hub(folder: Path) -> AsyncIterator["Hub"]:
    """A hub whose processes run until the end of the block."""
    async with client() as session:
        hub = Hub(folder, session)
        try:
            await hub.start()
            yield hub
        finally:
            await hub.close()


class Reachable:
    """A hub that runs somewhere, as publishers and subscribers see it, and its records."""

    def __init__(self, folder: Path, session: aiohttp.ClientSession) -> None:
        self._folder = folder
        self._session = session
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}/"

    @property
    def redis_url(self) -> str:
        raise NotImplementedError

    async def post(self, **fields: str) -> int:
        """Returns the status; 0 where there was no answer."""
        data = {f"hub.{name}": value for name, value in fields.items()}
        try:
            async with self._session.post(self.url, data=data) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    async def until_accepted(self, **fields: str) -> None:
        """Sends a request until the hub has accepted it, as publishers and subscribers do."""

        async def is_accepted() -> bool:
            return await self.post(**fields) in {202, 204}

        await eventually_true(is_accepted, 15, self.log)

    def subscriptions(self) -> int:
        """Returns how many are confirmed, as the records say."""
        with Redis.from_url(self.redis_url) as redis:
            return sum(int(redis.hlen(key)) for key in redis.scan_iter("websub:1:roster:*"))

    def _environment(self, **settings: str) -> dict[str, str]:
        given = SETTINGS | {"PORT": str(self._port), "DATA": str(self._folder)} | settings
        return os.environ | {f"WEBSUB_HUB_{name}": value for name, value in given.items()}

    async def _is_ready(self) -> bool:
        try:
            async with self._session.get(f"{self.url}readyz") as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    def log(self) -> str:
        """Returns the end of what each process said."""
        tails = [path.read_text()[-3000:] for path in self._folder.glob("*.log")]
        return "\n".join(tails)


class Hub(Reachable):
    """Three processes; whoever is killed is started again by the test."""

    def __init__(self, folder: Path, session: aiohttp.ClientSession) -> None:
        super().__init__(folder, session)
        self._redis = OwnRedis(folder)
        self._children: dict[str, asyncio.subprocess.Process] = {}

    @property
    def redis_url(self) -> str:
        return self._redis.url

    async def start(self, *names: str) -> None:
        for name in names or ("redis", "web", "worker"):
            if name == "redis":
                await self._redis.start()
            else:
                self._children[name] = await self._started(name)
        await eventually_true(self._is_ready, 15, self.log)

    async def kill(self, name: str) -> None:
        if name == "redis":
            self._redis.kill()
        else:
            await self._end(name, signal.SIGKILL)

    async def end_gracefully(self, name: str, within_s: float) -> int:
        """Returns the exit code."""
        async with asyncio.timeout(within_s):
            return await self._end(name, signal.SIGTERM)

    async def close(self) -> None:
        for name in list(self._children):
            await self._end(name, signal.SIGKILL)
        self._redis.kill()

    def held_by_workers(self) -> list[str]:
        """Returns what claims and heartbeats are on record."""
        with Redis.from_url(self.redis_url) as redis:
            claims = [key.decode() for key in redis.scan_iter("websub:1:*:claims")]
            return claims + [name.decode() for name in redis.zrange("websub:1:workers", 0, -1)]

    async def _started(self, name: str) -> asyncio.subprocess.Process:
        with (self._folder / f"{name}.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "hub", name),
                env=self._environment(REDIS_URL=self._redis.url),
                stdout=log,
                stderr=log,
            )

    async def _end(self, name: str, number: signal.Signals) -> int:
        child = self._children.pop(name)
        if child.returncode is None:
            child.send_signal(number)
        return await child.wait()


class Served(Reachable):
    """`websub-hub serve`: one tree of processes, with a Redis of its own."""

    def __init__(self, folder: Path, session: aiohttp.ClientSession, *, socket_root: Path) -> None:
        super().__init__(folder, session)
        self._socket_root = socket_root
        self._process: asyncio.subprocess.Process | None = None

    @property
    def redis_url(self) -> str:
        url = running_redis_url(self._folder)
        assert url is not None
        return url

    async def start(self) -> None:
        with (self._folder / "serve.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "hub", "serve"),
                env=self._environment() | {"XDG_RUNTIME_DIR": str(self._socket_root)},
                stdout=log,
                stderr=log,
            )
        await eventually_true(self._is_ready, 20, self.log)

    def redis_pid(self) -> int:
        return int(DataFolder(path=self._folder).pid_file.read_text())

    async def kill(self) -> int:
        """Kills it while its children are stopped; returns the Redis that has outlived it."""
        assert self._process is not None
        for pid in self._children():
            os.kill(pid, signal.SIGSTOP)
        self._process.kill()
        await self._process.wait()
        orphan = self.redis_pid()
        os.kill(orphan, 0)  # fails where it has ended: it could hear of no other signal
        return orphan

    async def close(self) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()
            return
        for pid in self._children():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _children(self) -> list[int]:
        """Returns what was started last, as the log says."""
        text = (self._folder / "serve.log").read_text()
        started = dict(re.findall(r"child started child=(\S+) pid=(\d+)", text))
        return [int(pid) for pid in started.values()]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
