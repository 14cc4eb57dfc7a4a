"""Waiting for something to become so, with a deadline."""

import asyncio
from collections.abc import Awaitable, Callable

LOOK_EACH_S = 0.005


async def eventually(
    is_so: Callable[[], bool], within_s: float, shown: Callable[[], object] = lambda: ""
) -> None:
    """Returns as soon as it is so, and fails with what is `shown` where it does not become so."""
    try:
        async with asyncio.timeout(within_s):
            while not is_so():  # noqa: ASYNC110 - nobody else tells
                await asyncio.sleep(LOOK_EACH_S)
    except TimeoutError:
        raise AssertionError(f"not within {within_s} s; {shown()}") from None


async def eventually_true(
    is_so: Callable[[], Awaitable[bool]], within_s: float, shown: Callable[[], object] = lambda: ""
) -> None:
    """The same for what has to be asked for."""
    try:
        async with asyncio.timeout(within_s):
            while not await is_so():  # noqa: ASYNC110 - nobody else tells
                await asyncio.sleep(LOOK_EACH_S)
    except TimeoutError:
        raise AssertionError(f"not within {within_s} s; {shown()}") from None
