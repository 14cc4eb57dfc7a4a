"""What the records say, for people: topics, subscriptions, who is behind, work lists."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from hub.store.commit import GroupCommit
from hub.store.event_id import EventId
from hub.store.progress import Progress, unpack_progress
from hub.store.subscription import Subscription, unpack_subscription

SLICE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStatus:
    """One work list: how much waits in it, how much of that is due, and since when."""

    name: str
    members: int
    due: int
    claimed: int
    oldest_due_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HubStatus:
    """The hub as a whole; `worker_silent_ms` is None where no worker was ever heard of."""

    now_ms: int
    worker_silent_ms: int | None
    topics: int
    pending_requests: int
    history_bytes: int
    lists: tuple[ListStatus, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionStatus:
    """One subscription and how far it has come; `held_ms`: for how long its origin is held."""

    subscription: Subscription
    progress: Progress
    held_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicStatus:
    """One topic; times are ms since 1970 by Redis's clock, 0 for never.

    Attributes:
        mishaps: documents in a row that were not believed; without any, since when means nothing.
    """

    url: str
    head: EventId
    trimmed_to: EventId
    events: int
    event_bytes: int
    outcome: str
    failures: int
    last_ping_ms: int
    fetched_at_ms: int
    content_type: str
    mishaps: int
    mishaps_since_ms: int
    pending_requests: int
    subscriptions: tuple[SubscriptionStatus, ...]

    @property
    def behind(self) -> tuple[SubscriptionStatus, ...]:
        """Returns the subscriptions that have not had the newest event yet."""
        return tuple(one for one in self.subscriptions if one.progress.cursor < self.head)


class Status:
    """Reads; changes nothing."""

    def __init__(self, commit: GroupCommit) -> None:
        self._commit = commit

    async def hub(self) -> HubStatus:
        """Returns the counts of the whole hub."""
        now, silent, topics, pending, total, lists = await self._commit.call("describe_lists")
        return HubStatus(
            now_ms=now,
            worker_silent_ms=None if silent < 0 else silent,
            topics=topics,
            pending_requests=pending,
            history_bytes=total,
            lists=tuple(
                ListStatus(
                    name=name.decode(), members=members, due=due, claimed=claimed, oldest_due_ms=age
                )
                for name, members, due, claimed, age in lists
            ),
        )

    async def topics(self) -> AsyncGenerator[TopicStatus]:
        """Yields every topic; one that comes or goes meanwhile may be missed or come twice."""
        cursor = b"0"
        while True:
            cursor, ids = await self._commit.call("list_topics", cursor, SLICE)
            for topic_id in ids:
                found = await self.topic(topic_id)
                if found is not None:
                    yield found
            if cursor == b"0":
                return

    async def topic(self, topic_id: str | bytes) -> TopicStatus | None:
        """Returns one topic with its subscriptions, None where nobody follows it."""
        members: list[SubscriptionStatus] = []
        start = 0
        while True:
            start, fields, flat = await self._commit.call("describe_topic", topic_id, start)
            if not fields:
                return None
            members += [
                SubscriptionStatus(
                    subscription=unpack_subscription(flat[i]),
                    progress=unpack_progress(flat[i + 1]),
                    held_ms=flat[i + 2] if flat[i + 2] >= 0 else None,
                )
                for i in range(0, len(flat), 3)
            ]
            if start == 0:
                return _read_topic(fields, tuple(members))


def _read_topic(fields: list[Any], subscriptions: tuple[SubscriptionStatus, ...]) -> TopicStatus:
    url, _, pending, head, trimmed, length, size, outcome, failures, ping, fetched, *rest = fields
    content_type, mishaps, mishaps_since, _ = rest
    return TopicStatus(
        url=url.decode(),
        head=EventId.parse(head),
        trimmed_to=EventId.parse(trimmed),
        events=int(length or 0),
        event_bytes=int(size or 0),
        outcome=(outcome or b"").decode(),
        failures=int(failures or 0),
        last_ping_ms=int(ping or 0),
        fetched_at_ms=int(fetched or 0),
        content_type=(content_type or b"").decode("latin-1"),
        mishaps=int(mishaps or 0),
        mishaps_since_ms=int(mishaps_since or 0),
        pending_requests=int(pending or 0),
        subscriptions=subscriptions,
    )
