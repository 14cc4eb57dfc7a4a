"""What stands behind one path of our servers: it answers, and keeps what arrived."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from conformance.answer import Reply
from conformance.exchange import Exchange, Way

T = TypeVar("T")


# A pause that takes longer than this multiple of itself is one more time, a few times at most.
LATENESS = 1.2
PAUSES = 5


async def unhurried(seconds: float) -> None:
    """Sleeps, and longer where this machine is too busy to wake us in time, as the hub may be."""
    loop = asyncio.get_running_loop()
    for _ in range(PAUSES):
        started_s = loop.time()
        await asyncio.sleep(seconds)
        if loop.time() - started_s < LATENESS * seconds:
            return


class Site:
    """Base of topics and callbacks: keeps each exchange in order and wakes who waits for one."""

    way = Way.TO_CALLBACK

    def __init__(self, url: str, log: list[Exchange]) -> None:
        self.url = url
        self.exchanges: list[Exchange] = []
        self.under_way = 0
        self.most_at_once = 0
        self._log = log
        self._news = asyncio.Event()

    async def reply(self, exchange: Exchange) -> Reply:
        """Returns the answer to a request."""
        raise NotImplementedError

    async def respond(self, exchange: Exchange) -> Reply:
        """Keeps the request and returns its answer."""
        self.exchanges.append(exchange)
        self._log.append(exchange)
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        self.wake()
        try:
            return await self.reply(exchange)
        finally:
            self.under_way -= 1

    def wake(self) -> None:
        """Tells who waits that something has changed."""
        self._news.set()
        self._news = asyncio.Event()

    async def until(self, look: Callable[[], T | None], timeout_s: float) -> T | None:
        """Returns what `look` finds as soon as it finds it, or None when the time is over."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while (found := look()) is None:
            try:
                async with asyncio.timeout_at(deadline):
                    await self._news.wait()
            except TimeoutError:
                return look()
        return found
