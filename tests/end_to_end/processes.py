"""The hub as it is run: a web process, a worker process and a Redis, to be killed by a test."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import aiohttp
from redis import Redis

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


class Hub:
    """Three processes; whoever is killed is started again by the test."""

    def __init__(self, folder: Path, session: aiohttp.ClientSession) -> None:
        self._folder = folder
        self._session = session
        self._redis = OwnRedis(folder)
        self._children: dict[str, asyncio.subprocess.Process] = {}
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}/"

    async def start(self, *names: str) -> None:
        for name in names or ("redis", "web", "worker"):
            if name == "redis":
                await self._redis.start()
            else:
                self._children[name] = await self._started(name)
        await eventually_true(self._is_ready, 15, self._log)

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

        await eventually_true(is_accepted, 15, self._log)

    def subscriptions(self) -> int:
        """Returns how many are confirmed, as the records say."""
        with Redis.from_url(self._redis.url) as redis:
            return sum(int(redis.hlen(key)) for key in redis.scan_iter("websub:1:roster:*"))

    def held_by_workers(self) -> list[str]:
        """Returns what claims and heartbeats are on record."""
        with Redis.from_url(self._redis.url) as redis:
            claims = [key.decode() for key in redis.scan_iter("websub:1:*:claims")]
            return claims + [name.decode() for name in redis.zrange("websub:1:workers", 0, -1)]

    async def _started(self, name: str) -> asyncio.subprocess.Process:
        given = {f"WEBSUB_HUB_{key}": value for key, value in SETTINGS.items()}
        given |= {"WEBSUB_HUB_REDIS_URL": self._redis.url, "WEBSUB_HUB_PORT": str(self._port)}
        given |= {"WEBSUB_HUB_DATA": str(self._folder)}
        with (self._folder / f"{name}.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "hub", name),
                env=os.environ | given,
                stdout=log,
                stderr=log,
            )

    async def _end(self, name: str, number: signal.Signals) -> int:
        child = self._children.pop(name)
        if child.returncode is None:
            child.send_signal(number)
        return await child.wait()

    async def _is_ready(self) -> bool:
        try:
            async with self._session.get(f"{self.url}readyz") as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _log(self) -> str:
        tails = [path.read_text()[-3000:] for path in self._folder.glob("*.log")]
        return "\n".join(tails)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
