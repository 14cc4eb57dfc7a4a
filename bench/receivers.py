"""Receivers that note what arrives and when, and such as misbehave, in a process of their own.

The path of a callback says how it behaves: /answers/1, /hangs/2. All of them echo challenges.
"""

import asyncio
import contextlib
import functools
import multiprocessing
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from types import MappingProxyType

from bench.nginx import free_port, until_it_listens
from bench.sink import HOSTS

# What a delivery is answered with, and after how many seconds; None for never.
_ANSWERS: Mapping[str, tuple[bytes, float | None]] = MappingProxyType(
    {
        "answers": (b"204 No Content\r\n", 0),
        "hangs": (b"", None),
        "fails-late": (b"500 Internal Server Error\r\nContent-Length: 0\r\n", 5),
        "slow": (b"204 No Content\r\n", 3),
        "busy": (b"429 Too Many Requests\r\nRetry-After: 5\r\nContent-Length: 0\r\n", 0),
    }
)
# Takes long enough to see how many requests come at once.
_MENDED = (b"204 No Content\r\n", 0.02)
_ENTRY = re.compile(rb"<id>urn:entry:(\d+)</id>")
_CHALLENGE = re.compile(rb"hub\.challenge=([^& ]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery as its receiver saw it; the time is `time.monotonic`."""

    path: str
    at_s: float
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """All that has arrived so far, and how many requests were under way at once at most."""

    deliveries: tuple[Delivery, ...] = ()
    most_at_once: int = 0


class Receivers:
    """A process of receivers on all loopback addresses."""

    def __init__(self) -> None:
        self.port = free_port()
        self._start()

    def callback(self, manner: str, number: int, *, hosts: int = HOSTS) -> str:
        """A callback that behaves in this manner; they are spread over so many hosts."""
        assert manner in _ANSWERS
        return f"http://127.0.0.{1 + number % hosts}:{self.port}/{manner}/{number}"

    def account(self) -> Account:
        """What has arrived since it was started."""
        self._pipe.send("account")
        account = self._pipe.recv()
        assert isinstance(account, Account)
        return account

    def mend(self) -> None:
        """From now on each new request is answered 204; the account begins anew."""
        self._pipe.send("mend")

    def kill(self) -> None:
        """From now on connections are refused."""
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def come_back(self) -> None:
        """Starts it again after `kill`, mended."""
        self._start()
        self.mend()

    def _start(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        self._process: SpawnProcess = spawn.Process(
            target=_run, args=(self.port, theirs), daemon=True
        )
        self._process.start()
        theirs.close()
        until_it_listens(self.port)


@contextlib.contextmanager
def receivers() -> Iterator[Receivers]:
    """Runs a process of them until the end of the block."""
    running = Receivers()
    try:
        yield running
    finally:
        running.kill()


class _Desk:
    """What the connections of a process share."""

    def __init__(self) -> None:
        self.is_mended = False
        self.under_way = 0
        self.account = Account()
        self.deliveries: list[Delivery] = []

    def take(self, path: str, body: bytes) -> tuple[bytes, float | None]:
        """Notes a delivery; returns its answer, and after how many seconds."""
        entries = tuple(int(number) for number in _ENTRY.findall(body))
        self.deliveries.append(Delivery(path=path, at_s=time.monotonic(), entries=entries))
        self.under_way += 1
        if self.under_way > self.account.most_at_once:
            self.account = replace(self.account, most_at_once=self.under_way)
        return _MENDED if self.is_mended else _ANSWERS[path.split("/")[1]]

    def obey(self, pipe: Connection, ended: asyncio.Event) -> None:
        """Does what the other end of the pipe asks for."""
        try:
            wanted = pipe.recv()
        except EOFError:
            ended.set()
            return
        if wanted == "account":
            pipe.send(replace(self.account, deliveries=tuple(self.deliveries)))
        else:
            self.is_mended, self.account = True, Account()
            self.deliveries.clear()


class _Exchange(asyncio.Protocol):
    """One kept connection: a request, its answer, the next request."""

    def __init__(self, desk: _Desk) -> None:
        self._desk = desk
        self._received = b""
        self._is_under_way = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._end()
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if not separator or len(body) < int(length or 0):
            return
        self._received = b""
        if challenge := _CHALLENGE.search(head):
            text = challenge[1]
            self._answer(b"200 OK\r\nContent-Length: %d\r\n" % len(text), text)
            return
        self._is_under_way = True
        answer, delay_s = self._desk.take(head.split(b" ", 2)[1].decode(), body)
        match delay_s:
            case None:
                return
            case 0:
                self._answer(answer)
            case _:
                asyncio.get_running_loop().call_later(delay_s, self._answer, answer)

    def _answer(self, head: bytes, body: bytes = b"") -> None:
        self._end()
        if self._transport is not None:
            self._transport.write(b"HTTP/1.1 %s\r\n%s" % (head, body))

    def _end(self) -> None:
        self._desk.under_way -= self._is_under_way
        self._is_under_way = False


def _run(port: int, pipe: Connection) -> None:
    asyncio.run(_serve(port, pipe))


async def _serve(port: int, pipe: Connection) -> None:
    loop, desk, ended = asyncio.get_running_loop(), _Desk(), asyncio.Event()
    loop.add_reader(pipe.fileno(), desk.obey, pipe, ended)
    server = await loop.create_server(
        functools.partial(_Exchange, desk), "0.0.0.0", port, backlog=4096
    )
    await ended.wait()
    server.close()
