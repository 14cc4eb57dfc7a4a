"""Items of a page made into frames: once each, however many readers ask at the same time."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final, TypeAlias, assert_never

from hub.store.event_id import EventId
from hub.store.log import EntriesEvent, Log, WholeEvent
from hub.web.events.describer import DOCUMENT_MAX_BYTES, Describer, sources_of
from hub.web.events.page import Appended, Item, Trimmed
from hub.web.events.prepared import Prepared
from hub.web.events.schema import (
    RESET,
    Fields,
    as_json,
    body_fields,
    entry_fields,
    event_fields,
    fitted,
    left_out,
    reset_fields,
)

KEPT_MAX_BYTES: Final = 32 * 1024**2
_Key: TypeAlias = tuple[EventId, bool]


class Press:
    """Makes the frames of events and keeps the latest ones."""

    def __init__(self, log: Log, describer: Describer, *, event_max_bytes: int) -> None:
        self._log = log
        self._describer = describer
        self._event_max_bytes = event_max_bytes
        # Even to find that it is too large would take the event loop too long.
        self._looked_at_max_bytes = max(event_max_bytes, DOCUMENT_MAX_BYTES)
        self._kept: OrderedDict[_Key, Prepared] = OrderedDict()
        self._kept_bytes = 0
        self._kept_max_bytes = KEPT_MAX_BYTES
        self._under_way: dict[_Key, asyncio.Task[Prepared]] = {}

    async def prepare(self, item: Item, urls: Mapping[str, str]) -> Prepared:
        """Returns the frame of an item, of a topic of which `urls` has the URL by its id."""
        url = urls[item.topic_id]
        match item:
            case Trimmed(topic_id=topic_id, event_id=event_id):
                return reset(topic_id, url, event_id)
            case Appended():
                return await self._shared(item, url)
            case never:
                assert_never(never)

    async def close(self) -> None:
        """Gives up what is under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _shared(self, item: Appended, url: str) -> Prepared:
        # A body goes with its event for as long as it is the newest one.
        key = (item.event_id, item.is_newest)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._make(item, url))
            task.add_done_callback(lambda made: self._keep(key, made))
        # One reader that leaves takes nothing from the others.
        return await asyncio.shield(task)

    def _keep(self, key: _Key, made: asyncio.Task[Prepared]) -> None:
        del self._under_way[key]
        if made.cancelled() or made.exception() is not None:
            return
        self._kept[key] = made.result()
        self._kept_bytes += len(made.result().json)
        while self._kept_bytes > self._kept_max_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= len(oldest.json)

    async def _make(self, item: Appended, url: str) -> Prepared:
        event = item.event
        fields = event_fields(topic=url, event_id=item.event_id, content_type=event.content_type)
        match event:
            case EntriesEvent() if len(event.ping.document) > self._looked_at_max_bytes:
                fields |= {"entries": []} | left_out()
            case EntriesEvent():
                described = await self._describer.describe(event, url=url)
                fields |= entry_fields(sources_of(event), described)
            case WholeEvent():
                fields |= await self._body(item)
            case never:
                assert_never(never)
        return Prepared(
            topic_id=item.topic_id,
            event_id=item.event_id,
            sse_type="",
            json=fitted(fields, bytes_max=self._event_max_bytes),
        )

    async def _body(self, item: Appended) -> Fields:
        if not item.is_newest:
            return {}
        document = await self._log.read_whole(item.topic_id)
        if document.head != item.event_id or not document.body:
            return {}
        if len(document.body) > self._looked_at_max_bytes:
            return left_out()
        return body_fields(document.body, document.content_type)


def reset(topic_id: str, url: str, event_id: EventId) -> Prepared:
    """Returns the frame that says that a topic's events before this one are gone."""
    fields = reset_fields(topic=url, event_id=event_id)
    return Prepared(topic_id=topic_id, event_id=event_id, sse_type=RESET, json=as_json(fields))
