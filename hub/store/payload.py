"""What one POST to a receiver holds: everything from its cursor to the head (design section 3)."""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.feeds.fat_ping import merge
from hub.feeds.records import Format
from hub.store.event_id import EventId
from hub.store.log import EntriesEvent, Event, LogSlice, WholeDocument

Events = Sequence[tuple[EventId, Event]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A body, and the events it stands for.

    Attributes:
        to: the cursor of whoever has it.
        webhook_id: the id of its one event, or `<from>..<to>` of several.
    """

    content_type: str
    body: bytes
    to: EventId
    webhook_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeWanted:
    """Only the topic's present document can stand for these events."""


def payload_of_events(events: Events, *, is_json: bool) -> Payload | WholeWanted:
    """Returns the longest run of events that can stand in one document; the rest follows later.

    Args:
        events: oldest first.
        is_json: whether items of a JSON Feed may go out by themselves.
    """
    run: list[EntriesEvent] = []
    for _, event in events:
        if not isinstance(event, EntriesEvent):
            break
        if event.ping.context.format is Format.JSON_FEED and not is_json:
            break
        if run and event.content_type != run[0].content_type:
            break
        run.append(event)
    if not run:
        return WholeWanted()
    ping, count = merge([event.ping for event in run])
    covered = [event_id for event_id, _ in events[:count]]
    return Payload(
        content_type=run[0].content_type,
        body=ping.document,
        to=covered[-1],
        webhook_id=webhook_id_of(covered),
    )


def payload_of_slice(log: LogSlice, *, after: EventId, is_json: bool) -> Payload | WholeWanted:
    """Returns what a receiver at a cursor gets of the log, if the log still holds all of it."""
    # Invariant 7: whose cursor lies behind what was trimmed gets the present whole document.
    if log.trimmed_to > after:
        return WholeWanted()
    return payload_of_events(log.events, is_json=is_json)


def payload_of_document(document: WholeDocument) -> Payload | None:
    """Returns the whole document; None if it is not kept."""
    if not document.body:
        return None
    return Payload(
        content_type=document.content_type,
        body=document.body,
        to=document.head,
        webhook_id=webhook_id_of([document.first, document.head]),
    )


def webhook_id_of(covered: Sequence[EventId]) -> str:
    """Returns the id of what holds these events: that of the only one, or `<from>..<to>`."""
    first, last = covered[0], covered[-1]
    return str(last) if first == last else f"{first}..{last}"
