"""Why a server could not be asked: every sentence from a real failure."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from hub.commands.reach import reason, unreachable


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def failure(url: str, timeout_s: float = 5) -> Exception:
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    async with aiohttp.ClientSession(timeout=timeout) as client:
        try:
            async with client.get(url) as response:
                await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            return error
    raise AssertionError("it was reached")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"", "the connection ended before its answer did"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab",
            "the connection ended before its answer did",
        ),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "its answer is no HTTP"),
        (
            b"HTTP/1.1 302 Found\r\nLocation: ftp://x/\r\n\r\n",
            "it leads to ftp://x/, which is no address on the web",
        ),
    ],
)
async def test_a_bad_answer_is_told_in_words(answer: bytes, told: str) -> None:
    async with answering(answer) as port:
        assert reason(await failure(f"http://127.0.0.1:{port}/")) == told


async def test_a_server_that_speaks_no_tls_is_told() -> None:
    async with answering(b"HTTP/1.1 400 Bad\r\n\r\n") as port:
        told = reason(await failure(f"https://127.0.0.1:{port}/"))
    assert told.startswith(f"no TLS on 127.0.0.1 port {port} (")
    assert "ssl:default" not in told


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_closed_port_is_named_without_talk_of_ssl(scheme: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        error = await failure(f"{scheme}://127.0.0.1:{port}/")
    assert unreachable("the hub H", error) == (
        f"Cannot reach the hub H: nothing listens on 127.0.0.1 port {port}"
    )


async def test_a_name_without_address_is_told() -> None:
    assert reason(await failure("http://nix.invalid/")) == "the name nix.invalid has no address"


async def test_silence_is_told() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert reason(await failure(url, 0.1)) == "it did not answer in time"
