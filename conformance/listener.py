"""A small HTTP/1.1 server that keeps what arrives byte for byte.

An ordinary server framework tidies up request targets and headers, and adds headers to answers;
both would hide what the suite has to judge.
"""

import asyncio
import contextlib
import ssl
import time
from typing import assert_never

from conformance.answer import Answer, Hangup, Reply, Stream
from conformance.exchange import Exchange, Headers, Way, status_line
from conformance.site import Site

HEAD_MAX_BYTES = 2**20
BODY_MAX_BYTES = 64 * 2**20
TLS_HELLO = b"\x16"
BODILESS = (204, 304)


class Listener:
    """Listens on one port and hands each request to the site named by its first path segment."""

    def __init__(
        self, host: str, port: int, base_url: str | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self._host = host
        self._port = port
        self._base_url = base_url
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.sites: dict[str, Site] = {}

    @property
    def base_url(self) -> str:
        """The URL that hubs reach this listener by, without a slash at its end."""
        if self._base_url:
            return self._base_url.rstrip("/")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._tls else 'http'}://{host}:{self._port}"

    async def start(self) -> None:
        """Begins to listen; raises OSError where that can't be."""
        self._server = await asyncio.start_server(
            self._connected, self._host, self._port, limit=HEAD_MAX_BYTES, ssl=self._tls
        )
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stops listening and drops every connection."""
        if self._server:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._connections.add(task)
        # A client that leaves or speaks no HTTP ends its connection, and nothing else.
        try:
            with contextlib.suppress(OSError, EOFError, ValueError, asyncio.LimitOverrunError):
                while await self._serve_one(reader, writer):
                    pass
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        exchange = await _read_request(reader, writer)
        site = self.sites.get(exchange.path.split("/")[self._depth()])
        if site is None:
            return await _write(writer, exchange, Answer(status=404))
        exchange.way = site.way
        reply = await site.respond(exchange)
        try:
            return await _write(writer, exchange, reply)
        finally:
            exchange.answered_at_s = time.monotonic()
            site.wake()

    def _depth(self) -> int:
        return self.base_url.partition("://")[2].count("/") + 1


async def _read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Exchange:
    start = await reader.readexactly(1)
    if start == TLS_HELLO:
        # As other servers do: who falls back to http does so when it sees that this port speaks it.
        await reader.read(HEAD_MAX_BYTES)
        writer.write(_head(400, (("Connection", "close"),)))
        raise ValueError("TLS on a plain port")
    head = (start + await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "surrogateescape")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = tuple(_header(line) for line in lines)
    exchange = Exchange(
        way=Way.TO_CALLBACK,
        method=method,
        target=target,
        headers=headers,
        body=b"",
        at_s=time.monotonic(),
    )
    if (exchange.header("Expect") or "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    exchange.body = await _read_body(reader, exchange)
    return exchange


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.strip(" \t")


async def _read_body(reader: asyncio.StreamReader, exchange: Exchange) -> bytes:
    if "chunked" in (exchange.header("Transfer-Encoding") or "").lower():
        return await _read_chunks(reader)
    length = int(exchange.header("Content-Length") or 0)
    if not 0 <= length <= BODY_MAX_BYTES:
        raise ValueError("a body beyond all bounds")
    return await reader.readexactly(length)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := int((await reader.readline()).partition(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
        if len(body) > BODY_MAX_BYTES:
            raise ValueError("a body beyond all bounds")
    while (await reader.readline()).strip():
        pass
    return bytes(body)


async def _write(writer: asyncio.StreamWriter, exchange: Exchange, reply: Reply) -> bool:
    """Writes an answer; returns whether the connection goes on."""
    match reply:
        case Hangup():
            writer.transport.abort()
            return False
        case Answer():
            _keep(exchange, reply.status, reply.headers, reply.body)
            writer.write(_whole(exchange, reply))
            await writer.drain()
            return (exchange.header("Connection") or "").lower() != "close"
        case Stream():
            _keep(exchange, reply.status, reply.headers, b"(a stream)")
            framing = (("Connection", "close"),)
            writer.write(_head(reply.status, reply.headers + framing))
            async for piece in reply.pieces:
                writer.write(piece)
                await writer.drain()
            return False
        case _:
            assert_never(reply)


def _keep(exchange: Exchange, status: int, headers: Headers, body: bytes) -> None:
    exchange.status = status
    exchange.answer_headers = headers
    exchange.answer_body = body


def _whole(exchange: Exchange, reply: Answer) -> bytes:
    if reply.status in BODILESS:
        return _head(reply.status, reply.headers)
    if reply.chunked:
        head = _head(reply.status, (*reply.headers, ("Transfer-Encoding", "chunked")))
        return head + _chunks(reply.body)
    head = _head(reply.status, (*reply.headers, ("Content-Length", str(len(reply.body)))))
    return head if exchange.method == "HEAD" else head + reply.body


def _chunks(body: bytes) -> bytes:
    size = max(1, len(body) // 3)
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def _head(status: int, headers: Headers) -> bytes:
    lines = [f"HTTP/1.1 {status_line(status)}", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")
