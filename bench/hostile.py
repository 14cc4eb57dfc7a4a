"""Receivers that answer with what no receiver should, in a process of their own.

The path of a callback says with what: /endless/1. All of them echo challenges.
"""

import asyncio
import contextlib
import multiprocessing
import os
import re
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import MappingProxyType

from bench.nginx import free_port, until_it_listens
from bench.sink import HOSTS

HEADER_BYTES = 1024**2
_PIECE_BYTES = 16 * 1024
_CHALLENGE = re.compile(rb"hub\.challenge=([^& ]+)")
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
# Whoever is closed with this is reset.
_NO_LINGER = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Toll:
    """By manner: deliveries that came, and bytes that were taken of the answers.

    What lies in the buffers of a socket counts as taken.
    """

    requests: Counter[str]
    taken_bytes: Counter[str]


class Hostile:
    """A process of them on all loopback addresses."""

    def __init__(self) -> None:
        self._port = free_port()
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_run, args=(self._port, theirs), daemon=True)
        self._process.start()
        theirs.close()
        until_it_listens(self._port)

    def callback(self, number: int) -> str:
        """A callback; its manner is another one for each number in turn."""
        manner = tuple(_MANNERS)[number % len(_MANNERS)]
        return f"http://127.0.0.{1 + number % HOSTS}:{self._port}/{manner}/{number}"

    def toll(self) -> Toll:
        """What it came to so far."""
        self._pipe.send("toll")
        toll = self._pipe.recv()
        assert isinstance(toll, Toll)
        return toll

    def kill(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


@contextlib.contextmanager
def hostile() -> Iterator[Hostile]:
    """Runs a process of them until the end of the block."""
    running = Hostile()
    try:
        yield running
    finally:
        running.kill()


async def _endless(_path: str) -> AsyncIterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n\r\n"
    while True:
        yield bytes(_PIECE_BYTES)


async def _drips(_path: str) -> AsyncIterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    while True:
        await asyncio.sleep(1)
        yield b"y"


async def _long_header(_path: str) -> AsyncIterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    line = b"X-Long: " + b"y" * 1000 + b"\r\n"
    for _ in range(HEADER_BYTES // len(line)):
        yield line
    yield b"Content-Length: 0\r\n\r\n"


async def _garbage(_path: str) -> AsyncIterator[bytes]:
    yield os.urandom(_PIECE_BYTES)


async def _loops(path: str) -> AsyncIterator[bytes]:
    yield b"HTTP/1.1 302 Found\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % path.encode()


async def _resets(_path: str) -> AsyncIterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"y" * 1000


_MANNERS: Mapping[str, Callable[[str], AsyncIterator[bytes]]] = MappingProxyType(
    {
        "endless": _endless,
        "drips": _drips,
        "long-header": _long_header,
        "garbage": _garbage,
        "loops": _loops,
        "resets": _resets,
    }
)


class _Desk:
    """What the connections of a process share."""

    def __init__(self) -> None:
        self._toll = Toll(requests=Counter(), taken_bytes=Counter())

    def obey(self, pipe: Connection, ended: asyncio.Event) -> None:
        """Tells the toll to the other end of the pipe."""
        try:
            pipe.recv()
        except EOFError:
            ended.set()
            return
        pipe.send(self._toll)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one request, and closes."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            if challenge := _CHALLENGE.search(head):
                text = challenge[1]
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text))
                await writer.drain()
            else:
                length = _LENGTH.search(head)
                await reader.readexactly(int(length[1]) if length else 0)
                await self._misbehave(head.split(b" ", 2)[1].decode(), writer)
        writer.close()

    async def _misbehave(self, path: str, writer: asyncio.StreamWriter) -> None:
        manner = path.split("/")[1]
        self._toll.requests[manner] += 1
        async for piece in _MANNERS[manner](path):
            writer.write(piece)
            await writer.drain()
            self._toll.taken_bytes[manner] += len(piece)
        if manner == "resets":
            connected: socket.socket = writer.get_extra_info("socket")
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)


def _run(port: int, pipe: Connection) -> None:
    asyncio.run(_serve(port, pipe))


async def _serve(port: int, pipe: Connection) -> None:
    loop, desk, ended = asyncio.get_running_loop(), _Desk(), asyncio.Event()
    loop.add_reader(pipe.fileno(), desk.obey, pipe, ended)
    await asyncio.start_server(desk.answer, "0.0.0.0", port, backlog=4096)
    await ended.wait()
