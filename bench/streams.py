"""Thousands of open streams, read by a process of their own, and the loop that writes to them."""

import asyncio
import contextlib
import multiprocessing
import select
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection

from bench.nginx import free_port, until_it_listens
from bench.processes import Process, process

RECEIVE_BYTES = 65_536
WITHIN_S = 30
_OPEN_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipts:
    """When each stream had an event whole, by `time.time`, and how large it was."""

    at_s: tuple[float, ...]
    event_bytes: int

    @property
    def spread_s(self) -> float:
        """From the first to the last."""
        return self.at_s[-1] - self.at_s[0]


class Streams:
    """Open streams."""

    def __init__(self, pipe: Connection, count: int) -> None:
        self._pipe = pipe
        self._count = count

    def receipts(self) -> Receipts:
        """Waits until each has one event more, of which all must have the same bytes."""
        assert self._pipe.poll(WITHIN_S), f"not all of {self._count} streams have it"
        receipts = self._pipe.recv()
        assert isinstance(receipts, Receipts)
        assert len(receipts.at_s) == self._count
        return receipts


@contextlib.contextmanager
def streams(port: int, target: str, count: int) -> Iterator[Streams]:
    """Opens so many with a GET of the target, until the end of the block."""
    spawn = multiprocessing.get_context("spawn")
    mine, theirs = spawn.Pipe()
    reading = spawn.Process(target=_read, args=(port, target, count, theirs), daemon=True)
    reading.start()
    theirs.close()
    try:
        assert mine.poll(WITHIN_S), "the streams do not open"
        assert mine.recv() == "open"
        yield Streams(mine, count)
    finally:
        reading.kill()
        reading.join()


def _read(port: int, target: str, count: int, pipe: Connection) -> None:
    poll = select.epoll()
    sockets = {}
    for number in range(count):
        one = _opened(port, target)
        sockets[one.fileno()] = one
        if number % _OPEN_AT_ONCE == 0:
            time.sleep(0.01)
    for one in sockets.values():
        _read_opening(one)
        one.setblocking(False)
        poll.register(one.fileno(), select.EPOLLIN)
    pipe.send("open")
    while True:
        pipe.send(_one_event(poll, sockets))


def _opened(port: int, target: str) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", port), WITHIN_S)
    request = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n"
    one.sendall(f"{request}\r\n".encode())
    return one


def _read_opening(one: socket.socket) -> None:
    received = b""
    # The head, and then the cursor at which the stream begins.
    while b"\nid: " not in received or not received.endswith(b"\n\n"):
        piece = one.recv(RECEIVE_BYTES)
        assert piece, received
        received += piece


def _one_event(poll: select.epoll, sockets: dict[int, socket.socket]) -> Receipts:
    received: dict[int, bytes] = {}
    at_s: list[float] = []
    event = b""
    while len(at_s) < len(sockets):
        for number, _ in poll.poll():
            piece = sockets[number].recv(RECEIVE_BYTES)
            assert piece, "a stream was cut off"
            if piece == b":\n\n":
                continue
            received[number] = received.get(number, b"") + piece
            if received[number].endswith(b"\n\n"):
                event = event or received[number]
                assert received[number] == event, "streams differ"
                at_s.append(time.time())
    return Receipts(at_s=tuple(at_s), event_bytes=len(event))


@dataclass(frozen=True, slots=True, kw_only=True)
class BareLoop:
    """A process that writes prepared bytes to all its connections, and knows nothing else."""

    port: int
    process: Process
    pipe: Connection

    def write(self, event: bytes) -> None:
        """Writes them to all."""
        self.pipe.send(event)


@contextlib.contextmanager
def bare_loop() -> Iterator[BareLoop]:
    """Runs one until the end of the block."""
    port = free_port()
    spawn = multiprocessing.get_context("spawn")
    mine, theirs = spawn.Pipe()
    running = spawn.Process(target=_write, args=(port, theirs), daemon=True)
    running.start()
    theirs.close()
    try:
        until_it_listens(port)
        assert running.pid is not None
        yield BareLoop(port=port, process=process(running.pid), pipe=mine)
    finally:
        running.kill()
        running.join()


def _write(port: int, pipe: Connection) -> None:
    asyncio.run(_serve(port, pipe))


class _Writing(asyncio.Protocol):
    def __init__(self, transports: set[asyncio.Transport]) -> None:
        self._transports = transports

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._transports.add(transport)

    def data_received(self, _data: bytes) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\n\r\nid: 0-0\n\n")

    def connection_lost(self, _exc: Exception | None) -> None:
        self._transports.discard(self._transport)


async def _serve(port: int, pipe: Connection) -> None:
    transports: set[asyncio.Transport] = set()

    def write_to_all() -> None:
        event = pipe.recv()
        for transport in transports:
            transport.write(event)

    loop = asyncio.get_running_loop()
    loop.add_reader(pipe.fileno(), write_to_all)
    server = await loop.create_server(lambda: _Writing(transports), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()
