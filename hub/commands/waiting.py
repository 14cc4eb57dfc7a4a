"""A line that shows that something is still being waited for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TextIO

_EVERY_S = 0.5
_CLEAR = "\r\x1b[2K"


@asynccontextmanager
async def waiting(stream: TextIO, text: str, *, shown_after_s: float = 0) -> AsyncIterator[None]:
    """Show what is waited for while the block runs, and nothing of it afterwards on a terminal.

    Args:
        stream: where to; a terminal gets one line that counts the seconds.
        text: what is waited for.
        shown_after_s: what takes less long is not worth a line.
    """
    show = _count if stream.isatty() else _tell
    task = asyncio.create_task(show(stream, text, shown_after_s))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        if stream.isatty():
            print(_CLEAR, end="", file=stream, flush=True)


def say(stream: TextIO, sentence: str) -> None:
    """Print a sentence on a line of its own, in the place of what is waited for."""
    clear = _CLEAR if stream.isatty() else ""
    print(f"{clear}{sentence}", file=stream, flush=True)


async def _tell(stream: TextIO, text: str, after_s: float) -> None:
    await asyncio.sleep(after_s)
    print(text, file=stream, flush=True)


async def _count(stream: TextIO, text: str, after_s: float) -> None:
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    await asyncio.sleep(after_s)
    print(f"{_CLEAR}{text}", end="", file=stream, flush=True)
    while True:
        await asyncio.sleep(_EVERY_S)
        line = f"{_CLEAR}{text} {loop.time() - started_s:.0f} s"
        print(line, end="", file=stream, flush=True)
