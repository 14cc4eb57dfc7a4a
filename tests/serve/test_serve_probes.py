"""Whether Redis and the web server do their work, and whether a port can be had."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.serve.probes import NO_ANSWER, port_fault, redis_fault, web_fault


@asynccontextmanager
async def answering(answer: bytes, path: Path | None = None) -> AsyncIterator[int]:
    """A server that says one thing to everybody, on a socket or on the port that is given."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    if path:
        server: asyncio.Server = await asyncio.start_unix_server(say, path)
        port = 0
    else:
        server = await asyncio.start_server(say, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
    async with server:
        yield port


LOADING = "LOADING Redis is loading the dataset in memory"


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (b"+PONG\r\n", None),
        (f"-{LOADING}\r\n".encode(), f"-{LOADING}"),
        (b"", NO_ANSWER),
    ],
)
async def test_redis_is_ready_when_it_takes_commands(
    tmp_path: Path, answer: bytes, fault: str | None
) -> None:
    async with answering(answer, tmp_path / "s"):
        assert await redis_fault(tmp_path / "s") == fault


async def test_redis_without_a_socket_is_not_ready(tmp_path: Path) -> None:
    assert await redis_fault(tmp_path / "s") == NO_ANSWER


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", None),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\nNo worker is alive.\n", "No worker is alive"),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", NO_ANSWER),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n\x1b[2J\n", NO_ANSWER),
        (b"\r\n", NO_ANSWER),
        (b"x" * 100_000, NO_ANSWER),
    ],
    ids=["200", "503", "503 without a word", "503 with a control", "no status", "no line"],
)
async def test_the_web_server_is_ready_when_it_says_so(answer: bytes, fault: str | None) -> None:
    async with answering(answer) as port:
        assert await web_fault("0.0.0.0", port) == fault


async def test_a_port_in_use_is_named_and_a_free_one_is_no_fault() -> None:
    async with answering(b"") as port:
        fault = port_fault("127.0.0.1", port)
    assert fault
    assert fault.startswith(f"Cannot listen on 127.0.0.1 port {port} (Address already in use)")
    assert port_fault("127.0.0.1", port) is None


def test_an_address_of_another_machine_is_a_fault() -> None:
    assert "192.0.2.1" in (port_fault("192.0.2.1", 8080) or "")


def test_a_port_that_just_closed_a_connection_can_be_had_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()
    assert port_fault("127.0.0.1", port) is None
