"""`websub-hub listen` as a process of its own."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

TOPIC = "http://t.example/é"


@asynccontextmanager
async def listening_process(
    hub_url: str, *options: str, topic: str = TOPIC
) -> AsyncIterator[Process]:
    words = (sys.executable, "-m", "hub", "listen", topic, "--hub", hub_url, *options)
    process = await asyncio.create_subprocess_exec(*words, stdout=PIPE, stderr=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def line_of(stream: asyncio.StreamReader | None) -> str:
    assert stream is not None
    async with asyncio.timeout(10):
        return (await stream.readline()).decode()


async def line_with(stream: asyncio.StreamReader | None, text: str) -> str:
    """Returns the next line that holds the text, whatever comes before it."""
    while text not in (line := await line_of(stream)):
        assert line, f"ended without {text!r}"
    return line


async def ended(process: Process) -> tuple[int | None, str]:
    async with asyncio.timeout(10):
        _, errors = await process.communicate()
    return process.returncode, errors.decode()
