"""Servers that say exactly what a test wants, and doors to them."""

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from hub.outbound.door import Door, DoorConfig

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[..., Awaitable[str]]

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts `serve(handler, host=...)` and says under which http://host:port."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(handler: Handler, host: str = "127.0.0.1") -> str:
            tasks: set[asyncio.Task[None]] = set()

            async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                task = asyncio.current_task()
                assert task is not None
                tasks.add(task)
                try:
                    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                        await handler(reader, writer)
                except asyncio.CancelledError:
                    pass
                finally:
                    writer.transport.abort()
                    tasks.discard(task)

            async def stop() -> None:
                server.close()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

            server = await asyncio.start_server(connected, host, backlog=2048)
            stack.push_async_callback(stop)
            port = server.sockets[0].getsockname()[1]
            return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

        yield start


@pytest.fixture
def heard() -> list[bytes]:
    """The requests that `answering` servers got, byte for byte."""
    return []


@pytest.fixture
def answering(serve: Serve, heard: list[bytes]) -> Serve:
    """Starts `answering(answer, host=...)`, which gives every request that same answer."""

    async def start(answer: bytes, host: str = "127.0.0.1") -> str:
        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = 0
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                heard.append(head + await reader.readexactly(length))
                writer.write(answer)
                await writer.drain()
                if b"connection: close" in answer.lower():
                    return

        return await serve(handler, host=host)

    return start


@pytest.fixture
async def open_door() -> AsyncIterator[Callable[[DoorConfig], Door]]:
    """Opens doors that are closed after the test."""
    doors: list[Door] = []

    def start(config: DoorConfig) -> Door:
        door = Door(config)
        door.start()
        doors.append(door)
        return door

    yield start
    for door in doors:
        await door.stop()


@pytest.fixture
async def door(open_door: Callable[[DoorConfig], Door]) -> Door:
    """A door with loopback open for topics and callbacks."""
    return open_door(
        DoorConfig(user_agent="hub-test", topics_allow=LOOPBACK, callbacks_allow=LOOPBACK)
    )
