"""The logs as those see them who read without a subscription: by topic and cursor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hub.protocol.urls import normalised, topic_id
from hub.store.commit import GroupCommit
from hub.store.event_id import EventId
from hub.store.log import Event, WholeEvent, unpack_event

# Longer than anybody waits for the first document.
TRIAL_MS: Final = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTopic:
    """A topic that the hub follows.

    Attributes:
        hubs: those that it names as its own, as of its last fetch.
        content_type: empty before its first document.
        start: where its history starts; a cursor before that has missed something.
        failures: failed fetches in a row.
    """

    topic_id: str
    url: str
    hubs: tuple[str, ...]
    content_type: str
    start: EventId
    failures: int

    @property
    def is_unread(self) -> bool:
        """Returns whether its first fetch has neither brought a document yet nor failed."""
        return not (self.failures or self.content_type or self.hubs)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """Topics as of one instant.

    Attributes:
        now_ms: by the clock of event ids.
        newest: the id of the hub's newest event, whichever its topic.
        topics: None for each that the hub does not follow.
    """

    now_ms: int
    newest: EventId
    topics: tuple[KnownTopic | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Events of one topic after a cursor, oldest first.

    Attributes:
        start: where the topic's history starts.
        head: its newest event.
        complete_to: all of its events up to here are among these.
    """

    start: EventId
    head: EventId
    complete_to: EventId
    events: tuple[tuple[EventId, Event], ...]


class History:
    """Reads topics and their logs for whoever follows them without a subscription."""

    def __init__(self, commit: GroupCommit) -> None:
        self._commit = commit

    async def look_up(self, urls: Sequence[str]) -> LookUp:
        """Returns what is known of these topics, in their order."""
        ids = [topic_id(url) for url in urls]
        now_ms, newest, rows = await self._commit.call("look_up_topics", *ids)
        topics = tuple(_known(id_, row) for id_, row in zip(ids, rows, strict=True))
        return LookUp(now_ms=now_ms, newest=EventId.parse(newest), topics=topics)

    async def follow(self, url: str) -> bool:
        """Has the hub know a topic and keep it for its readers; returns whether it is new."""
        return bool(
            await self._commit.call("follow", topic_id(url), topic_id(normalised(url)), url, "")
        )

    async def try_out(self, url: str) -> None:
        """Has the hub fetch a topic that it does not know, and keep it for a minute, if no more."""
        key = topic_id(normalised(url))
        await self._commit.call("follow", topic_id(url), key, url, TRIAL_MS)

    async def end_trial(self, url: str) -> bool:
        """Returns whether a topic is gone that was tried out, since nobody else follows it."""
        return bool(await self._commit.call("end_trial", topic_id(url), TRIAL_MS))

    async def read(
        self, topic_id: str, *, after: EventId, to: EventId | None, limit: int, bytes_max: int
    ) -> Stretch:
        """Returns the next events after a cursor, and notes that somebody reads the topic.

        Args:
            topic_id: of a topic that the hub knows.
            after: the cursor.
            to: no events after this one; None for all that there are.
            limit: most events to return.
            bytes_max: most bytes of them; at least one is returned, whatever its size.
        """
        start, head, complete_to, rows = await self._commit.call(
            "read_events", topic_id, str(after), "" if to is None else str(to), limit, bytes_max
        )
        return Stretch(
            start=EventId.parse(start),
            head=EventId.parse(head),
            complete_to=EventId.parse(complete_to),
            events=tuple((EventId.parse(id_), _unpacked(raw)) for id_, raw in rows),
        )


def _unpacked(raw: bytes) -> Event:
    try:
        return unpack_event(raw)
    except ValueError:
        # Damaged, or of a later version: one event without its content, and no end of reading.
        return WholeEvent(content_type="application/octet-stream")


def _known(id_: str, row: list[bytes] | None) -> KnownTopic | None:
    if row is None:
        return None
    url, hubs, content_type, start, failures = row
    return KnownTopic(
        topic_id=id_,
        url=url.decode(),
        hubs=tuple(hubs.decode("utf-8", "replace").split("\n")) if hubs else (),
        content_type=content_type.decode("latin-1"),
        start=EventId.parse(start),
        failures=int(failures),
    )
