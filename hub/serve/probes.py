"""Whether a child does its work: asked in its own protocol, with a deadline."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path

PROBE_S = 1.0
# What listens on every address is asked on loopback.
REACHED_AS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound

NO_ANSWER = "no answer yet"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Reading = Callable[[asyncio.StreamReader], Awaitable[bytes]]


async def redis_fault(path: Path) -> str | None:
    """Returns None where Redis takes commands on a socket, else what it says: it may still load."""
    opening = asyncio.open_unix_connection(path)
    answer = await _answer(opening, b"PING\r\n", asyncio.StreamReader.readline)
    return None if answer == b"+PONG\r\n" else _told(answer)


async def web_fault(host: str, port: int) -> str | None:
    """Returns None where the web server says that it is ready, else what it says."""
    opening = asyncio.open_connection(REACHED_AS.get(host, host), port)
    request = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    head, _, body = (await _answer(opening, request, _short_response)).partition(b"\r\n\r\n")
    return None if head.split()[1:2] == [b"200"] else _told(body)


def port_fault(host: str, port: int) -> str | None:
    """Returns why nothing can listen there, as a sentence; None where it can.

    Asked before anything is started, so that the commonest fault ends `serve` at once.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return (
            f"Cannot listen on {host} port {port} ({error.strerror}): choose others with "
            "--host and --port (WEBSUB_HUB_HOST, WEBSUB_HUB_PORT)."
        )
    return None


async def _short_response(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n") + await reader.readline()


def _told(answer: bytes) -> str:
    text = answer.decode(errors="replace").strip().rstrip(".")
    return text if text and text.isprintable() else NO_ANSWER


async def _answer(opening: Coroutine[None, None, Streams], question: bytes, read: Reading) -> bytes:
    try:
        async with asyncio.timeout(PROBE_S):
            reader, writer = await opening
            try:
                writer.write(question)
                return await read(reader)
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError, EOFError, asyncio.LimitOverrunError):
        return b""
