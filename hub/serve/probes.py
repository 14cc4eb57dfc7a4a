"""Whether a child does its work: asked in its own protocol, with a deadline."""

import asyncio
import socket
from collections.abc import Coroutine
from pathlib import Path

PROBE_S = 1.0
# What listens on every address is asked on loopback.
REACHED_AS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def redis_answers(path: Path) -> bool:
    """Returns whether Redis takes commands on a socket; not while it still loads its file."""
    return await _first_line(asyncio.open_unix_connection(path), b"PING\r\n") == b"+PONG\r\n"


async def web_is_ready(host: str, port: int) -> bool:
    """Returns whether the web server says that a subscription and a ping would be worked on."""
    opening = asyncio.open_connection(REACHED_AS.get(host, host), port)
    request = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    return (await _first_line(opening, request)).split()[1:2] == [b"200"]


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


async def _first_line(opening: Coroutine[None, None, Streams], question: bytes) -> bytes:
    try:
        async with asyncio.timeout(PROBE_S):
            reader, writer = await opening
            try:
                writer.write(question)
                return await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return b""
