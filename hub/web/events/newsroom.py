"""Live events: read once a process, whoever appended them, and given to all who follow.

What keeps the order: Redis publishes each event in the step that appends it, and ids grow over all
topics. Once the message of an event has come, so have those of all events before it. The room
therefore reads the topics that have news up to the latest id that it has heard of and no further,
and gives out what it found in the order of ids: who follows many topics never gets an older event
behind a newer one.

What keeps it whole: a reader attaches first and then reads the history, and leaves out what it is
offered of that.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from hub.store.event_id import BEFORE_ALL, EventId
from hub.store.history import History
from hub.store.news import News
from hub.store.results import StoreFull, StoreUnavailable
from hub.web.events.page import read_page
from hub.web.events.prepared import Prepared
from hub.web.events.press import Press

# Of all topics that have news at once.
_ROUND_LIMIT = 1_000
LOOK_EACH_S: Final = 30.0
_RETRY_S = 0.5
_LOG = structlog.get_logger()


class Reader(Protocol):
    """Somebody who follows topics."""

    def offer(self, event: Prepared) -> None:
        """Takes an event or leaves it, without waiting; they come in the order of their ids."""
        ...

    def end(self) -> None:
        """Stops reading, since the process does."""
        ...


@dataclass(slots=True, kw_only=True)
class _Followed:
    """A topic with readers; its events up to the position have been given out."""

    url: str
    position: EventId
    readers: dict[Reader, None] = field(default_factory=dict)


class Newsroom:
    """Who follows what in this process."""

    def __init__(self, history: History, press: Press) -> None:
        self._history = history
        self._press = press
        self._followed: dict[str, _Followed] = {}
        self._has_news: set[str] = set()
        self._heard_of = BEFORE_ALL
        self._wake = asyncio.Event()

    @contextmanager
    def attached(
        self, reader: Reader, topics: Mapping[str, str], *, newest: EventId
    ) -> Iterator[None]:
        """Has the reader offered what is appended to topics, until the end of the context.

        Args:
            reader: who follows.
            topics: URLs by topic id.
            newest: an event of the hub that is there already; the reader finds all up to it in
                the history.
        """
        for topic_id, url in topics.items():
            followed = self._followed.setdefault(topic_id, _Followed(url=url, position=newest))
            followed.readers[reader] = None
        try:
            yield
        finally:
            for topic_id in topics:
                self._detach(reader, topic_id)

    def end_all(self) -> None:
        """Has all readers stop."""
        for followed in list(self._followed.values()):
            for reader in list(followed.readers):
                reader.end()

    async def run(self, news: AsyncIterator[News | None]) -> None:
        """Gives out what is appended, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(news))
            group.create_task(self._look_again())
            group.create_task(self._give_out())

    def _detach(self, reader: Reader, topic_id: str) -> None:
        followed = self._followed[topic_id]
        del followed.readers[reader]
        if not followed.readers:
            del self._followed[topic_id]

    async def _listen(self, news: AsyncIterator[News | None]) -> None:
        async with aclosing(news) as heard:  # type: ignore[type-var]  # it is a generator
            async for message in heard:
                if message is None:
                    await self._look_at_all()
                elif message.topic_id in self._followed:
                    self._heard_of = max(self._heard_of, message.event_id)
                    self._has_news.add(message.topic_id)
                    self._wake.set()

    async def _look_again(self) -> None:
        # A connection can be dead without a word; and topics are kept for those who read on.
        while True:
            await asyncio.sleep(LOOK_EACH_S)
            await self._look_at_all()

    async def _look_at_all(self) -> None:
        newest = await self._newest()
        self._heard_of = max(self._heard_of, newest)
        self._has_news.update(self._followed)
        self._wake.set()

    async def _newest(self) -> EventId:
        while True:
            with suppress(StoreUnavailable, StoreFull):
                return (await self._history.look_up([])).newest
            await asyncio.sleep(_RETRY_S)

    async def _give_out(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                while self._has_news:
                    await self._round()
            except (StoreUnavailable, StoreFull) as error:
                _LOG.warning("events wait", error=str(error))
                await asyncio.sleep(_RETRY_S)
                self._wake.set()
            except Exception:  # noqa: BLE001 - logged with its traceback
                # Were it to end here, no event would come any more; the next look finds these.
                _LOG.exception("fault; goes on")
                await asyncio.sleep(_RETRY_S)

    async def _round(self) -> None:
        topics, to = self._has_news & self._followed.keys(), self._heard_of
        self._has_news = set()
        if not topics:
            return
        try:
            is_last = await self._give_out_of(topics, to)
        except (StoreUnavailable, StoreFull):
            self._has_news |= topics
            raise
        if not is_last:
            self._has_news |= topics

    async def _give_out_of(self, topics: set[str], to: EventId) -> bool:
        cursors = {topic_id: self._followed[topic_id].position for topic_id in topics}
        urls = {topic_id: self._followed[topic_id].url for topic_id in topics}
        page = await read_page(self._history, cursors, to=to, limit=_ROUND_LIMIT)
        for item in page.items:
            self._offer(await self._press.prepare(item, urls))
        for topic_id in topics & self._followed.keys():
            followed = self._followed[topic_id]
            followed.position = max(followed.position, page.complete_to)
        return page.is_last

    def _offer(self, event: Prepared) -> None:
        followed = self._followed.get(event.topic_id)
        if followed is not None:
            for reader in tuple(followed.readers):
                reader.offer(event)
