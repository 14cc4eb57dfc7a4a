"""What one POST holds, for each state of a log and a cursor."""

from dataclasses import replace

import pytest

from hub.feeds.document import read_document
from hub.feeds.fat_ping import cut
from hub.feeds.records import Feed
from hub.store.event_id import BEFORE_ALL, EventId
from hub.store.log import EntriesEvent, LogSlice, WholeDocument, WholeEvent
from hub.store.payload import (
    Payload,
    WholeWanted,
    payload_of_document,
    payload_of_events,
    payload_of_slice,
)
from tests.workers.feeds import ATOM, JSON, atom, entries_of, json_feed

FIRST, SECOND, THIRD = EventId(1, 0), EventId(2, 0), EventId(2, 1)


def event(*entries: str, content_type: str = ATOM, language: str = "") -> EntriesEvent:
    body = atom(*entries)
    if language:
        body = body.replace(b"<feed ", f'<feed xml:lang="{language}" '.encode())
    feed = read_document(body, content_type)
    assert isinstance(feed, Feed)
    return EntriesEvent(content_type=content_type, ping=cut(feed, feed.entries))


def json_event(*items: str) -> EntriesEvent:
    feed = read_document(json_feed(*items), JSON)
    assert isinstance(feed, Feed)
    return EntriesEvent(content_type=JSON, ping=cut(feed, feed.entries))


WHOLE = WholeEvent(content_type="text/plain")


def test_one_event_goes_out_under_its_own_id() -> None:
    payload = payload_of_events([(FIRST, event("b", "a"))], is_json=False)
    assert payload == Payload(content_type=ATOM, body=atom("b", "a"), to=FIRST, webhook_id="1-0")


def test_several_events_go_out_as_one_with_the_newest_version_of_each_entry() -> None:
    payload = payload_of_events(
        [(FIRST, event("b", "a")), (SECOND, event("c")), (THIRD, event("b=B"))], is_json=False
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
    payload = payload_of_events(
        [(FIRST, event("a")), (SECOND, event("b")), (THIRD, other)], is_json=True
    )
    assert isinstance(payload, Payload)
    assert sorted(entries_of(payload.body)) == ["a", "b"]
    assert (payload.to, payload.webhook_id) == (SECOND, "1-0..2-0")


def test_a_whole_event_wants_the_present_document() -> None:
    assert payload_of_events([(FIRST, WHOLE), (SECOND, event("a"))], is_json=False) == WholeWanted()
    assert payload_of_events([], is_json=False) == WholeWanted()


def test_who_is_behind_what_was_trimmed_gets_the_whole_document() -> None:
    log = LogSlice(trimmed_to=FIRST, events=((SECOND, event("a")),))
    assert payload_of_slice(log, after=BEFORE_ALL, is_json=False) == WholeWanted()
    assert isinstance(payload_of_slice(log, after=FIRST, is_json=False), Payload)


def test_a_whole_document_stands_for_all_that_was_missed() -> None:
    document = WholeDocument(first=SECOND, head=THIRD, content_type="text/plain", body=b"now")
    assert payload_of_document(document) == Payload(
        content_type="text/plain", body=b"now", to=THIRD, webhook_id="2-0..2-1"
    )
    assert payload_of_document(replace(document, first=THIRD)) == Payload(
        content_type="text/plain", body=b"now", to=THIRD, webhook_id="2-1"
    )


def test_a_document_that_is_not_kept_is_no_payload() -> None:
    document = WholeDocument(first=THIRD, head=THIRD, content_type="text/plain", body=b"")
    assert payload_of_document(document) is None


class TestJsonFeeds:
    """Only Atom and RSS may go out as entries unasked (WebSub 7)."""

    EVENTS = ((FIRST, json_event("a", "b")), (SECOND, json_event("c", "b=B")))

    def test_items_are_merged_for_who_asked(self) -> None:
        payload = payload_of_events(self.EVENTS, is_json=True)
        assert payload == Payload(
            content_type=JSON,
            body=json_feed("c", "b=B", "a"),
            to=SECOND,
            webhook_id="1-0..2-0",
        )

    def test_else_the_whole_document_is_wanted(self) -> None:
        assert payload_of_events(self.EVENTS, is_json=False) == WholeWanted()

    @pytest.mark.parametrize(("is_json", "to"), [(True, FIRST), (False, FIRST)])
    def test_a_feed_that_became_json_is_not_merged_with_what_it_was(
        self, *, is_json: bool, to: EventId
    ) -> None:
        events = [(FIRST, event("a")), (SECOND, json_event("b"))]
        payload = payload_of_events(events, is_json=is_json)
        assert isinstance(payload, Payload)
        assert (payload.to, payload.body) == (to, atom("a"))

    def test_one_that_was_json_goes_out_whole(self) -> None:
        events = [(FIRST, json_event("a")), (SECOND, event("b"))]
        assert payload_of_events(events, is_json=False) == WholeWanted()
