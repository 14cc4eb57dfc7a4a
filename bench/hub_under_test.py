"""A hub as a user starts it, with subscriptions made as subscribers make them."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientSession, TCPConnector, web
from redis import Redis

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

    def fields(self, topic: str) -> dict[bytes, bytes]:
        """The topic's record."""
        with Redis.from_url(self.redis_url) as redis:
            found = redis.hgetall(f"websub:1:t:{topic_id(topic)}")
        assert isinstance(found, dict)
        return found

    def workers(self) -> list["Process"]:
        """Its worker processes."""
        return [p for p in processes_of(self.pid) if " worker " in f"{p.command} "]

    async def subscribe(self, topic: str, callbacks: Sequence[str], *, at_once: int = 64) -> float:
        """Makes all subscriptions; returns how many seconds passed until the last was verified."""
        began_s = time.perf_counter()
        numbered = iter(enumerate(callbacks))
        async with ClientSession(connector=TCPConnector(limit=at_once)) as client:

            async def ask() -> None:
                for number, callback in numbered:
                    form = {
                        "hub.mode": "subscribe",
                        "hub.topic": topic,
                        "hub.callback": callback,
                        "hub.secret": f"secret-{number}-of-thirty-two-bytes....",
                    }
                    async with client.post(self.url, data=form) as answer:
                        assert answer.status == 202, await answer.text()

            await asyncio.gather(*(ask() for _ in range(at_once)))
        while int(self.fields(topic).get(b"subscriptions", 0)) < len(callbacks):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        return time.perf_counter() - began_s

    async def ping(self, topic: str) -> None:
        """Tells the hub that the topic changed."""
        async with ClientSession() as client:
            form = {"hub.mode": "publish", "hub.url": topic}
            async with client.post(self.url, data=form) as answer:
                assert answer.status == 204


@contextlib.contextmanager
def hub(workers: int = 1) -> Iterator[Hub]:
    """Runs `websub-hub serve --dev` on an empty folder until the end of the block."""
    port = free_port()
    with tempfile.TemporaryDirectory() as data, Path(data, "log").open("wb") as log:
        environment = {**os.environ, "WEBSUB_HUB_WORKERS": str(workers)}
        environment |= {"WEBSUB_HUB_LOG_LEVEL": "warning", "WEBSUB_HUB_FETCH_BURST": "1000"}
        command = [sys.executable, "-m", "hub", "serve", "--dev", "--port", str(port)]
        command += ["--data", f"{data}/hub"]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}/"
            _until_ready(url, process, Path(data, "log"))
            lock = Path(data, "hub", "lock").read_text()
            redis_url = lock.partition('"redis_url": "')[2].partition('"')[0]
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


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process as /proc shows it."""

    pid: int
    command: str

    def cpu_s(self) -> float:
        """Processor time so far, of all its threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_bytes(self) -> int:
        """Resident memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


def processes_of(parent: int) -> list[Process]:
    """The children of a process, and theirs."""
    found: list[Process] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                found.append(Process(pid=int(entry.name), command=command))
                found += processes_of(int(entry.name))
    return found
