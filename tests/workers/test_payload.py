"""What one POST holds, for each state of a log and a cursor."""

import pytest

from hub.feeds.document import read_document
from hub.feeds.fat_ping import cut
from hub.feeds.records import Feed
from hub.store.event_id import BEFORE_ALL, EventId
from hub.store.log import EntriesEvent, LogSlice, WholeDocument, WholeEvent
from tests.workers.feeds import ATOM, atom, entries_of
from workers.payload import (
    Payload,
    WholeWanted,
    payload_of_document,
    payload_of_events,
    payload_of_slice,
)

FIRST, SECOND, THIRD = EventId(1, 0), EventId(2, 0), EventId(2, 1)


def event(*entries: str, content_type: str = ATOM, language: str = "") -> EntriesEvent:
    body = atom(*entries)
    if language:
        body = body.replace(b"<feed ", f'<feed xml:lang="{language}" '.encode())
    feed = read_document(body, content_type)
    assert isinstance(feed, Feed)
    return EntriesEvent(content_type=content_type, ping=cut(feed, feed.entries))


WHOLE = WholeEvent(content_type="text/plain")


def test_one_event_goes_out_under_its_own_id() -> None:
    payload = payload_of_events([(FIRST, event("b", "a"))])
    assert payload == Payload(content_type=ATOM, body=atom("b", "a"), to=FIRST, webhook_id="1-0")


def test_several_events_go_out_as_one_with_the_newest_version_of_each_entry() -> None:
    payload = payload_of_events(
        [(FIRST, event("b", "a")), (SECOND, event("c")), (THIRD, event("b=B"))]
    )
    assert isinstance(payload, Payload)
    assert sorted(entries_of(payload.body)) == ["a", "b=B", "c"]
    assert (payload.to, payload.webhook_id) == (THIRD, "1-0..2-1")


@pytest.mark.parametrize(
    "other",
    [event("c", language="fr"), event("c", content_type="text/xml"), WHOLE],
    ids=["another context", "another type", "a whole document"],
)
def test_a_run_ends_where_events_cannot_stand_in_one_document(
    other: EntriesEvent | WholeEvent,
) -> None:
    payload = payload_of_events([(FIRST, event("a")), (SECOND, event("b")), (THIRD, other)])
    assert isinstance(payload, Payload)
    assert sorted(entries_of(payload.body)) == ["a", "b"]
    assert (payload.to, payload.webhook_id) == (SECOND, "1-0..2-0")


def test_a_whole_event_wants_the_present_document() -> None:
    assert payload_of_events([(FIRST, WHOLE), (SECOND, event("a"))]) == WholeWanted()
    assert payload_of_events([]) == WholeWanted()


def test_who_is_behind_what_was_trimmed_gets_the_whole_document() -> None:
    log = LogSlice(trimmed_to=FIRST, events=((SECOND, event("a")),))
    assert payload_of_slice(log, after=BEFORE_ALL) == WholeWanted()
    assert isinstance(payload_of_slice(log, after=FIRST), Payload)


def test_a_whole_document_stands_for_all_that_was_missed() -> None:
    document = WholeDocument(head=THIRD, content_type="text/plain", body=b"now")
    log = LogSlice(trimmed_to=BEFORE_ALL, events=((SECOND, WHOLE), (THIRD, WHOLE)))
    assert payload_of_document(document, log) == Payload(
        content_type="text/plain", body=b"now", to=THIRD, webhook_id="2-0..2-1"
    )
    one = LogSlice(trimmed_to=BEFORE_ALL, events=((THIRD, WHOLE),))
    assert payload_of_document(document, one) == Payload(
        content_type="text/plain", body=b"now", to=THIRD, webhook_id="2-1"
    )
    none = LogSlice(trimmed_to=THIRD, events=())
    assert payload_of_document(document, none) == Payload(
        content_type="text/plain", body=b"now", to=THIRD, webhook_id="2-1"
    )


def test_a_document_that_is_not_kept_is_no_payload() -> None:
    document = WholeDocument(head=THIRD, content_type="text/plain", body=b"")
    assert payload_of_document(document, LogSlice(trimmed_to=BEFORE_ALL, events=())) is None
