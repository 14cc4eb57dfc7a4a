"""What all channels work with, and how a reader is let in: which topics, from which place on."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import assert_never
from urllib.parse import urlsplit

from aiohttp import web

from hub.protocol.own_topics import is_own_topic
from hub.protocol.requests import HostRule
from hub.store.event_id import EventId
from hub.store.history import History, KnownTopic, LookUp
from hub.store.log import Log
from hub.web.events.access import Access, Refused, Visitors
from hub.web.events.newsroom import Newsroom
from hub.web.events.prepared import Prepared
from hub.web.events.press import Press, reset
from hub.web.events.query import After, Query, Since, Start
from hub.web.events.trial import Trials

_CLOSED_ADDRESS = (
    "topic is on an address that this hub does not connect to: private networks and this machine "
    "are closed, unless the hub's settings open them."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """What a reader follows.

    Attributes:
        urls: of its topics, by their ids.
        cursors: where it starts in each.
        resets: marks to begin with.
        newest: an event of the hub that was there before it came.
        is_public: whether anybody may read this.
        topics: what is known of them.
    """

    urls: dict[str, str]
    cursors: dict[str, EventId]
    resets: tuple[Prepared, ...]
    newest: EventId
    is_public: bool
    topics: tuple[KnownTopic, ...]

    @property
    def cursor(self) -> EventId:
        """Returns the place to come back to for who has got nothing yet."""
        return min(self.cursors.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Shared by all readers of a process.

    Attributes:
        topic_hosts: which hosts may be fetched from; None for all.
        check_room: raises `StoreFull` where nothing new should be taken.
        buffer_max_bytes: what may wait for a reader before it is cut off.
        heartbeat_s: how long a stream may be silent.
    """

    history: History
    log: Log
    press: Press
    newsroom: Newsroom
    access: Access
    visitors: Visitors
    trials: Trials
    topic_hosts: HostRule | None
    check_room: Callable[[], Awaitable[None]]
    buffer_max_bytes: int
    heartbeat_s: float

    async def admit(self, request: web.Request, query: Query) -> Following:
        """Returns what the reader follows.

        Raises:
            RequestRejected: it may not, or not here.
        """
        if self.access.has_token(request):
            found = await self._known_to_us(query)
        else:
            found = await self._known_to_strangers(request, query)
        topics = tuple(topic for topic in found.topics if topic is not None)
        if len(topics) < len(query.topics):
            raise Refused("A topic was given up just now: please try again.", status=503)
        return _following(query, found, topics, is_public=all(map(self.access.is_public, topics)))

    async def _known_to_us(self, query: Query) -> LookUp:
        found = await self.history.look_up(query.topics)
        pairs = list(zip(query.topics, found.topics, strict=True))
        unknown = [url for url, topic in pairs if topic is None]
        # One that is not public may be on trial, and about to be forgotten.
        closed = [url for url, topic in pairs if topic and not self.access.is_public(topic)]
        if not unknown and not closed:
            return found
        await self._check_new(unknown)
        await asyncio.gather(*map(self.history.follow, [*unknown, *closed]))
        return await self.history.look_up(query.topics)

    async def _known_to_strangers(self, request: web.Request, query: Query) -> LookUp:
        found = await self.history.look_up(query.topics)
        pairs = list(zip(query.topics, found.topics, strict=True))
        unknown = [url for url, topic in pairs if topic is None or topic.is_unread]
        known = [topic for _, topic in pairs if topic and not topic.is_unread]
        if unknown and self.access.may_try_out(unknown, known):
            await self._check_new(unknown)
            await self.trials.look_at(unknown, address=self.access.address_of(request))
            found = await self.history.look_up(query.topics)
        self.access.check_strangers(query.topics, found.topics)
        return found

    async def _check_new(self, urls: Sequence[str]) -> None:
        for url in urls:
            host = urlsplit(url).hostname
            if is_own_topic(url, self.access.hub_url):
                continue
            if self.topic_hosts is not None and host is not None and not self.topic_hosts(host):
                raise Refused(_CLOSED_ADDRESS)
        if urls:
            await self.check_room()


def _following(
    query: Query, found: LookUp, topics: tuple[KnownTopic, ...], *, is_public: bool
) -> Following:
    cursors = {topic.topic_id: _cursor(query, found, topic) for topic in topics}
    urls = {topic.topic_id: topic.url for topic in topics}
    resets = tuple(
        reset(topic_id, urls[topic_id], found.newest)
        for topic_id, cursor in cursors.items()
        if cursor > found.newest
    )
    return Following(
        urls=urls,
        # A cursor that the hub has not come to yet is of records that it has lost.
        cursors={topic_id: min(cursor, found.newest) for topic_id, cursor in cursors.items()},
        resets=resets,
        newest=found.newest,
        is_public=is_public,
        topics=topics,
    )


def _cursor(query: Query, found: LookUp, topic: KnownTopic) -> EventId:
    match query.beginning:
        case Start.NOW:
            return found.newest
        case Start.EARLIEST:
            return topic.start
        case After(event_id=event_id):
            return event_id
        case Since(ms=ms):
            return min(EventId(max(0, found.now_ms - ms), 0), found.newest)
        case never:
            assert_never(never)
