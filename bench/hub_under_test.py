"""A hub as a user starts it, with subscriptions made as subscribers make them."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientSession, web
from redis import Redis

from bench.nginx import free_port
from bench.poster import form, post_all_forms
from bench.processes import Process, processes_of
from hub.protocol.urls import topic_id

_FEED = (
    '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><id>f</id><title>bench</title>'
    "<updated>2026-01-01T00:00:00Z</updated><entry><id>e{number}</id><title>news</title>"
    "<updated>2026-01-01T00:00:00Z</updated><content>{content}</content></entry></feed>"
)


@dataclass(slots=True)
class Publisher:
    """A site with one feed; raising `number` publishes a new entry of `entry_bytes`."""

    url: str
    entry_bytes: int
    number: int = 0

    async def answer(self, _request: web.Request) -> web.Response:
        """The present document."""
        text = _FEED.format(number=self.number, content="y" * self.entry_bytes)
        return web.Response(text=text, content_type="application/atom+xml")


@contextlib.asynccontextmanager
async def publisher(entry_bytes: int) -> AsyncIterator[Publisher]:
    """Runs one until the end of the block."""
    port = free_port()
    site = Publisher(f"http://127.0.0.1:{port}/feed", entry_bytes)
    app = web.Application()
    app.router.add_get("/{any:.*}", site.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield site
    finally:
        await runner.cleanup()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """A running `serve`."""

    url: str
    redis_url: str
    pid: int

    def head_s(self, topic: str) -> float:
        """When the topic's newest event was appended, by Redis's clock, which is this machine's."""
        with Redis.from_url(self.redis_url) as redis:
            head = redis.hget(f"websub:1:t:{topic_id(topic)}", "head")
        assert isinstance(head, bytes), "nothing was published yet"
        return int(head.partition(b"-")[0]) / 1000

    def redis_bytes(self) -> int:
        """What Redis uses for everything."""
        with Redis.from_url(self.redis_url) as redis:
            return int(redis.info("memory")["used_memory"])

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2].rstrip("/"))

    def workers(self) -> list[Process]:
        """Its worker processes."""
        return [p for p in processes_of(self.pid) if " worker " in f"{p.command} "]

    def parts(self) -> dict[str, list[Process]]:
        """All its processes but the one that starts the others."""
        all_of_it = processes_of(self.pid)
        return {
            "web": [p for p in all_of_it if " web " in f"{p.command} "],
            "worker": self.workers(),
            "redis": [p for p in all_of_it if "redis-server" in p.command],
        }

    async def subscribe(self, topic: str, callbacks: Sequence[str], *, at_once: int = 64) -> float:
        """Makes all subscriptions; returns how many seconds passed until the last was verified."""
        pairs = [(topic, callback) for callback in callbacks]
        return await asyncio.to_thread(self.subscribe_all, pairs, at_once=at_once)

    def subscribe_all(self, pairs: Sequence[tuple[str, str]], *, at_once: int = 64) -> float:
        """The same for topics and callbacks in pairs."""
        bodies = [
            form(mode="subscribe", topic=topic, callback=callback, secret=secret(number))
            for number, (topic, callback) in enumerate(pairs)
        ]
        topics = {topic for topic, _ in pairs}
        verified = -self._subscriptions(topics)
        began_s = time.perf_counter()
        post_all_forms(self.port, bodies, status=202, at_once=at_once)
        with Redis.from_url(self.redis_url) as redis:
            while redis.exists("websub:1:requests"):
                time.sleep(0.02)
        taken_s = time.perf_counter() - began_s
        verified += self._subscriptions(topics)
        assert verified == len(pairs), f"{verified} of {len(pairs)} were verified"
        return taken_s

    def _subscriptions(self, topics: Iterable[str]) -> int:
        with Redis.from_url(self.redis_url) as redis:
            pipeline = redis.pipeline(transaction=False)
            for topic in topics:
                pipeline.hget(f"websub:1:t:{topic_id(topic)}", "subscriptions")
            return sum(int(count or 0) for count in pipeline.execute())

    async def ping(self, topic: str) -> None:
        """Tells the hub that the topic changed."""
        async with ClientSession() as client:
            form = {"hub.mode": "publish", "hub.url": topic}
            async with client.post(self.url, data=form) as answer:
                assert answer.status == 204


def secret(number: int) -> str:
    """A secret of 32 bytes, each another one."""
    return f"secret-{number:08}".ljust(32, ".")


@contextlib.contextmanager
def hub(workers: int = 1, *, fetch_burst: int = 1000) -> Iterator[Hub]:
    """Runs `websub-hub serve --dev` on an empty folder until the end of the block."""
    port = free_port()
    with tempfile.TemporaryDirectory() as data, Path(data, "log").open("wb") as log:
        environment = {**os.environ, "WEBSUB_HUB_WORKERS": str(workers)}
        environment |= {
            "WEBSUB_HUB_LOG_LEVEL": "warning",
            "WEBSUB_HUB_FETCH_BURST": str(fetch_burst),
        }
        command = [sys.executable, "-m", "hub", "serve", "--dev", "--port", str(port)]
        command += ["--data", f"{data}/hub"]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}/"
            _until_ready(url, process, Path(data, "log"))
            lock = Path(data, "hub", "lock").read_text()
            redis_url = lock.partition('"redis_url": "')[2].partition('"')[0]
            with Redis.from_url(redis_url) as redis:
                # What the tables state.
                assert redis.config_get("appendfsync") == {"appendfsync": "always"}
            yield Hub(url=url, redis_url=redis_url, pid=process.pid)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(15)


def _until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(1500):
        if process.poll() is not None:
            raise SystemExit(f"The hub did not start:\n{log.read_text()}")
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}readyz", timeout=2):
            return
        time.sleep(0.02)
    raise SystemExit("The hub did not become ready.")
