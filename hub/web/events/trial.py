"""Topics that a stranger asks for and the hub does not know: looked at once, and kept or forgotten.

Were they fetched and shown, the hub would be a proxy that lets any web page read any URL. So what
is fetched is only looked at for whether it names this hub as its own, and nothing else is told.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

from hub.clock import monotonic_s
from hub.store.history import History, KnownTopic
from hub.web.events.access import Access, Refused

# What one address may ask for: so many at once, and then one more each time.
BURST: Final = 10
EACH_S: Final = 10.0
_ADDRESSES_MAX: Final = 10_000
# Of all addresses, at once.
UNDER_WAY_MAX: Final = 64
_DOCUMENT_WITHIN_S: Final = 8.0
_LOOK_EACH_S: Final = 0.1
_TOO_MANY = (
    "Your address has asked for too many topics that this hub does not follow: wait a little."
)
_NO_ROOM = "This hub looks at too many new topics now: please try again."


class Allowance:
    """How many new topics each address may still ask for."""

    def __init__(self) -> None:
        self._used_until_s: dict[str, float] = {}

    def take(self, address: str, count: int, *, now_s: float) -> None:
        """Counts so many.

        Raises:
            Refused: that is too many.
        """
        if len(self._used_until_s) >= _ADDRESSES_MAX:
            left = {name: at for name, at in self._used_until_s.items() if at > now_s}
            self._used_until_s = left
        until_s = max(self._used_until_s.get(address, 0.0), now_s) + count * EACH_S
        is_full = len(self._used_until_s) >= _ADDRESSES_MAX and address not in self._used_until_s
        if is_full or until_s > now_s + BURST * EACH_S:
            raise Refused(_TOO_MANY, status=429)
        self._used_until_s[address] = until_s


class Trials:
    """The topics that are looked at now; who asks for the same one waits for the same look."""

    def __init__(self, history: History, access: Access) -> None:
        self._history = history
        self._access = access
        self._allowance = Allowance()
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def look_at(self, urls: Iterable[str], *, address: str) -> None:
        """Returns once these are known to the hub where they name it, and forgotten if not.

        Raises:
            Refused: the address, or all of them, ask for too much.
        """
        wanted = set(urls)
        self._allowance.take(address, len(wanted), now_s=monotonic_s())
        if len(self._under_way.keys() | wanted) > UNDER_WAY_MAX:
            raise Refused(_NO_ROOM, status=503)
        # One reader that leaves takes nothing from the others.
        await asyncio.gather(*(asyncio.shield(self._look(url)) for url in wanted))

    async def close(self) -> None:
        """Gives up what is under way; the records of those topics go by themselves."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _look(self, url: str) -> asyncio.Task[None]:
        task = self._under_way.get(url)
        if task is None:
            task = self._under_way[url] = asyncio.create_task(self._try_out(url))
            task.add_done_callback(lambda done: self._forget(url, done))
        return task

    def _forget(self, url: str, done: asyncio.Task[None]) -> None:
        del self._under_way[url]
        if not done.cancelled():
            # Whoever waits has it raised; nobody may be left.
            done.exception()

    async def _try_out(self, url: str) -> None:
        await self._history.try_out(url)
        topic = await self._first_document(url)
        if topic is not None and not self._access.is_public(topic):
            await self._history.end_trial(url)

    async def _first_document(self, url: str) -> KnownTopic | None:
        until_s = monotonic_s() + _DOCUMENT_WITHIN_S
        while True:
            (topic,) = (await self._history.look_up([url])).topics
            if topic is None or not topic.is_unread or monotonic_s() > until_s:
                return topic
            await asyncio.sleep(_LOOK_EACH_S)
