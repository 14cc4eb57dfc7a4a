"""A line that shows that something is still being waited for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TextIO

_EVERY_S = 0.5
_CLEAR = "\r\x1b[2K"


@asynccontextmanager
async def waiting(
    stream: TextIO, text: str, *, hint: str, hint_after_s: float = 10
) -> AsyncIterator[None]:
    """Show what is waited for while the block runs.

    Args:
        stream: where to; a terminal gets one line that counts the seconds.
        text: what is waited for.
        hint: a sentence for when it takes long.
        hint_after_s: how long that is.
    """
    clear = _CLEAR if stream.isatty() else ""
    print(text, end="" if clear else "\n", file=stream, flush=True)
    tasks = [asyncio.create_task(_hint(stream, clear + hint, hint_after_s))]
    if clear:
        tasks.append(asyncio.create_task(_count(stream, clear + text)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        print(clear, end="", file=stream, flush=True)


async def _hint(stream: TextIO, hint: str, after_s: float) -> None:
    await asyncio.sleep(after_s)
    print(hint, file=stream, flush=True)


async def _count(stream: TextIO, text: str) -> None:
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    while True:
        await asyncio.sleep(_EVERY_S)
        print(f"{text} {loop.time() - started_s:.0f} s", end="", file=stream, flush=True)
