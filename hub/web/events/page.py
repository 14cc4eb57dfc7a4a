"""The next events of one or several topics, merged in the order of their ids."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from hub.store.event_id import EventId
from hub.store.history import History, Stretch
from hub.store.log import Event

# Of one page, over all of its topics; but each topic may have one event of any size.
PAGE_MAX_BYTES: Final = 4 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """An event of the log; `is_newest` where its topic's body is this one's."""

    topic_id: str
    event_id: EventId
    event: Event
    is_newest: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Trimmed:
    """What a topic had before this id, and after the reader's cursor, is gone (invariant 7)."""

    topic_id: str
    event_id: EventId


Item: TypeAlias = Appended | Trimmed


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Items in the order of their ids.

    Attributes:
        complete_to: of all topics there is nothing else up to here: the next page's cursor.
        is_last: nothing was after these when they were read.
    """

    items: tuple[Item, ...]
    complete_to: EventId
    is_last: bool


async def read_page(
    history: History,
    cursors: Mapping[str, EventId],
    *,
    to: EventId | None = None,
    limit: int,
) -> Page:
    """Returns what comes after these cursors (by topic id), one at least, and up to `limit`.

    Args:
        history: where it is read.
        cursors: at least one.
        to: nothing after this id; None for all that there is.
        limit: most events.
    """
    count = len(cursors)
    pieces = await asyncio.gather(
        *(
            history.read(
                topic_id,
                after=after,
                to=to,
                limit=max(1, limit // count),
                bytes_max=PAGE_MAX_BYTES // count,
            )
            for topic_id, after in cursors.items()
        )
    )
    return _merged(cursors, pieces, to=to, limit=limit)


def _merged(
    cursors: Mapping[str, EventId],
    pieces: Sequence[Stretch],
    *,
    to: EventId | None,
    limit: int,
) -> Page:
    # Where one topic has more than was read, what others have after that has to wait for it.
    bound = min(piece.complete_to for piece in pieces)
    read = [
        item
        for (topic_id, after), piece in zip(cursors.items(), pieces, strict=True)
        for item in _items(topic_id, after, piece)
    ]
    found = sorted((item for item in read if item.event_id <= bound), key=lambda i: i.event_id)
    if len(found) > limit:
        cut = tuple(found[:limit])
        return Page(items=cut, complete_to=cut[-1].event_id, is_last=False)
    is_last = len(found) == len(read) and not any(_has_more(piece, to) for piece in pieces)
    return Page(items=tuple(found), complete_to=bound, is_last=is_last)


def _items(topic_id: str, after: EventId, piece: Stretch) -> list[Item]:
    items: list[Item] = [
        Appended(
            topic_id=topic_id, event_id=event_id, event=event, is_newest=event_id == piece.head
        )
        for event_id, event in piece.events
    ]
    if after < piece.start:
        items.insert(0, Trimmed(topic_id=topic_id, event_id=piece.start))
    return items


def _has_more(piece: Stretch, to: EventId | None) -> bool:
    end = piece.head if to is None else min(piece.head, to)
    return piece.complete_to < end
