"""Following topics: pings, fetches, and what counts as a change (WebSub 6)."""

import asyncio
from collections.abc import Callable
from typing import Literal
from urllib.parse import urlsplit

from tests.conformance.defective import fetch
from tests.conformance.defective.records import Content, Defects, Records, Topic
from tests.conformance.defective.tasks import Tasks, wait_for

Standing = Literal["known", "forbidden", "unknown"]

# The policy of this hub: no topic of this host. It also denies topics that answer 403.
DENIED_HOST = "denied.example"
_RETRY_DELAYS_S = (0.3, 0.6, 1.2, 2.4)
_BASELINE_S = 2.0
_THROTTLE_S = 1.0
_AFTER_VERIFICATION_S = 0.25
_BURST_S = 0.2


class Topics:
    """Fetches what is pinged, and tells of each change through `on_change`."""

    def __init__(
        self, records: Records, tasks: Tasks, on_change: Callable[[Topic], None], defects: Defects
    ) -> None:
        self._records = records
        self._tasks = tasks
        self._on_change = on_change
        self._defects = defects
        self._only_one = asyncio.Lock()

    def ping(self, url: str) -> None:
        """Has all followed spellings of a topic fetched, or the URL itself where there is none."""
        spellings = self._records.spellings(url)
        if "pings-match-exactly" in self._defects:
            spellings = [topic for topic in spellings if topic.url == url]
        followed = [topic for topic in spellings if self._records.is_followed(topic)]
        # A page that nobody follows may name a followed topic as its rel=self.
        for topic in followed or [self._records.topic(url)]:
            if not self._is_ignored(topic):
                self._ring(topic)

    def _is_ignored(self, topic: Topic) -> bool:
        now = asyncio.get_running_loop().time()
        if "ping-after-verification-lost" in self._defects:
            return now - topic.confirmed_at < _AFTER_VERIFICATION_S
        if "burst-loses-last" in self._defects and now - topic.pinged_at < _THROTTLE_S:
            return True
        topic.pinged_at = now
        return False

    def _ring(self, topic: Topic) -> None:
        topic.is_pinged = True
        topic.rung.set()
        if topic.fetching is None or topic.fetching.done():
            topic.fetching = self._tasks.spawn(self._follow_in_turn(topic))

    async def _follow_in_turn(self, topic: Topic) -> None:
        if "slow-topic-blocks-all" in self._defects:
            async with self._only_one:
                await self._follow(topic)
        else:
            await self._follow(topic)

    async def _follow(self, topic: Topic) -> None:
        # Pings during a fetch are answered together by the next one, so that the last counts.
        while topic.is_pinged:
            for delay_s in (*_RETRY_DELAYS_S, 0.0):
                topic.is_pinged = False
                topic.rung.clear()
                if await self._update(topic) == "known":
                    break
                await wait_for(topic.rung, delay_s)

    async def standing(self, topic: Topic) -> Standing:
        """Returns how a topic that is subscribed to stands, within 2 s."""
        if urlsplit(topic.url).hostname == DENIED_HOST:
            return "forbidden"
        task = self._tasks.spawn(self._update(topic))
        done, _ = await asyncio.wait({task}, timeout=_BASELINE_S)
        return task.result() if done else "unknown"

    async def _update(self, topic: Topic, *, is_named: bool = False) -> Standing:
        async with topic.lock:
            fetched = await fetch.fetch(topic.url, topic.validators, self._defects)
            match fetched:
                case fetch.Unchanged():
                    if "unchanged-delivered" in self._defects:
                        self._changed(topic, topic.content)
                    return "known"
                case fetch.Failed(status=status):
                    return "forbidden" if status == 403 else "unknown"
                case fetch.Fetched(content=content, validators=validators):
                    topic.validators = validators
                    if self._is_news(topic.content, content):
                        self._changed(topic, content)
                    if not is_named:
                        self._refer(topic, content)
                    return "known"

    def _is_news(self, old: Content | None, new: Content) -> bool:
        if new.self_url is None and "topic-without-self-ignored" in self._defects:
            return False
        if old is None or "unchanged-delivered" in self._defects:
            return True
        if "change-of-equal-length-missed" in self._defects:
            return len(old.body) != len(new.body)
        return (old.body, old.content_type) != (new.body, new.content_type)

    def _changed(self, topic: Topic, content: Content | None) -> None:
        now = asyncio.get_running_loop().time()
        topic.older = topic.content if now - topic.changed_at < _BURST_S else None
        topic.changed_at = now
        topic.content = content
        topic.head += 1
        self._on_change(topic)

    def _refer(self, topic: Topic, content: Content) -> None:
        if content.self_url is None or content.self_url == topic.url:
            return
        # Anybody can claim rel=self: the named topic is fetched, never fed with these bytes.
        named = self._records.topics.get(content.self_url)
        if named is None or not self._records.is_followed(named):
            return
        if "bytes-of-another-url" in self._defects:
            self._changed(named, content)
        else:
            self._tasks.spawn(self._update(named, is_named=True))
