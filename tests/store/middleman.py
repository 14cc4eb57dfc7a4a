"""Servers in place of Redis: one that counts round trips to it, one that plays it in trouble."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import hiredis

READ_BYTES = 1 << 20
LEAVE_TIMEOUT_S = 5
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Middleman:
    """Passes bytes on, and counts how often the client spoke after it had been answered."""

    def __init__(self, redis_socket: str) -> None:
        self._redis_socket = redis_socket
        self.round_trips = 0
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.has_asked = asyncio.Event()
        self._is_asking = False

    @asynccontextmanager
    async def listen(self, path: Path) -> AsyncIterator[str]:
        async with _listen(self._serve, path) as url:
            yield url

    async def _serve(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        redis, requests = await asyncio.open_unix_connection(self._redis_socket)
        back = asyncio.create_task(self._answer(redis, answers))
        while data := await client.read(READ_BYTES):
            if not self._is_asking:
                self._is_asking = True
                self.round_trips += 1
            requests.write(data)
            self.has_asked.set()
        requests.close()
        await requests.wait_closed()
        await back

    async def _answer(self, redis: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        while data := await redis.read(READ_BYTES):
            await self.is_open.wait()
            self._is_asking = False
            answers.write(data)


@asynccontextmanager
async def redis_that_says(path: Path, answer: bytes) -> AsyncIterator[str]:
    """A server that has one answer to everything."""

    async def serve(client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        commands = hiredis.Reader()
        while data := await client.read(READ_BYTES):
            commands.feed(data)
            while commands.gets() is not False:
                answers.write(answer)

    async with _listen(serve, path) as url:
        yield url


@asynccontextmanager
async def _listen(serve: Serve, path: Path) -> AsyncIterator[str]:
    """Ends when the clients have left, so that no connection outlives its test."""
    clients: set[asyncio.Task[None]] = set()

    async def serve_one(client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        clients.add(task)
        try:
            await serve(client, answers)
        finally:
            answers.close()
            with suppress(OSError):
                await answers.wait_closed()

    server = await asyncio.start_unix_server(serve_one, path)
    try:
        yield f"unix://{path}"
    finally:
        server.close()
        if clients:
            await asyncio.wait(clients, timeout=LEAVE_TIMEOUT_S)
