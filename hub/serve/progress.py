"""The line that moves while the hub sets itself up, on a terminal, once that takes a while."""

import asyncio
import sys
from collections.abc import Callable

from hub import clock

SHOWN_AFTER_S = 1.0
STEP_S = 0.2
CLEAR_LINE = "\r\x1b[K"


async def show_progress(waits_for: Callable[[], str]) -> None:
    """Shows what is waited for, and since when, until it is cancelled; then wipes the line."""
    started_s = clock.monotonic_s()
    if not sys.stderr.isatty():
        return
    await asyncio.sleep(SHOWN_AFTER_S)
    try:
        while True:
            waited_s = clock.monotonic_s() - started_s
            _write(f"{CLEAR_LINE}Starting: waiting for {waits_for()}, {waited_s:.0f} s\r")
            await asyncio.sleep(STEP_S)
    finally:
        _write(CLEAR_LINE)


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
