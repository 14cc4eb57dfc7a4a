"""Topics of the hub's own: what was published, written in one step and without a fetch."""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.feeds.diff import Seen
from hub.protocol.urls import normalised, topic_id
from hub.store.commit import GroupCommit
from hub.store.event_id import EventId
from hub.store.log import Event, pack_event
from hub.store.packing import pack_list
from hub.store.topics import pack_seen, unpack_all_seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What a document is judged by: how many came before it, and what is known of their entries."""

    documents: int
    seen: Mapping[bytes, Seen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """All that a document writes.

    Attributes:
        facts: fields of the topic record that change.
        event: None where nothing of it is news.
        seen: entries whose record changes, evicted: those to forget.
    """

    facts: Mapping[str, str | bytes]
    event: Event | None
    body: bytes
    seen: Mapping[bytes, Seen]
    evicted: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The document is written; its event, or None where nothing was news."""

    event_id: EventId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overtaken:
    """Another document came since this one was judged, and nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a topic holds."""

    content_type: str
    body: bytes


class OwnTopics:
    """The records of own topics, which are those of any other topic."""

    def __init__(self, commit: GroupCommit) -> None:
        self._commit = commit

    async def before(self, url: str) -> Before:
        """Returns what the next document of a topic is judged by."""
        documents, flat = await self._commit.call("read_own", topic_id(url))
        return Before(documents=int(documents), seen=unpack_all_seen(flat))

    async def publish(
        self, url: str, publication: Publication, *, before: Before
    ) -> Published | Overtaken:
        """Returns once a document is written, or that another one came before it."""
        facts = [part for pair in publication.facts.items() for part in pair]
        seen = [part for key, value in publication.seen.items() for part in (key, pack_seen(value))]
        is_written, event_id = await self._commit.call(
            "publish",
            topic_id(url),
            topic_id(normalised(url)),
            url,
            before.documents,
            pack_list(facts),
            b"" if publication.event is None else pack_event(publication.event),
            publication.body,
            pack_list(seen),
            pack_list(publication.evicted),
        )
        if not is_written:
            return Overtaken()
        return Published(event_id=EventId.parse(event_id) if event_id else None)

    async def content(self, url: str) -> Content | None:
        """Returns what was last published, and notes that somebody reads it; None: nothing was."""
        found = await self._commit.call("read_content", topic_id(url))
        if found is None:
            return None
        content_type, body = found
        return Content(content_type=content_type.decode("latin-1"), body=body)
