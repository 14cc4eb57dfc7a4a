"""An event as JSON: its text, its time, and what is left out of one that is too large."""

import json
from typing import Any

import pytest

from hub.store.event_id import EventId
from hub.web.events.prepared import Channel, Prepared
from hub.web.events.schema import as_json, body_fields, entry_fields, event_fields, fitted

DESCRIBED = {"id": "1", "title": "One"}


def event(**fields: object) -> dict[str, Any]:
    event_id = EventId(1_764_000_000_007, 2)
    return event_fields(topic="http://t.example/", event_id=event_id, content_type="x/y") | fields


def test_the_time_is_that_of_the_id() -> None:
    assert event()["time"] == "2025-11-24T16:00:00.007Z"
    assert event()["id"] == "1764000000007-2"


@pytest.mark.parametrize(
    ("body", "content_type", "fields"),
    [
        ("Grüße".encode(), "text/plain", {"body": "Grüße"}),
        ("Grüße".encode(), "text/plain; charset=iso-8859-1", {"body": "Grüße"}),
        ("Grüße".encode("latin-1"), 'text/plain; Charset="ISO-8859-1"', {"body": "Grüße"}),
        (b"\xff\xfe\xfd", "text/plain; charset=nonsense", {"body_base64": "//79"}),
        (b"a\x00b", "text/plain", {"body_base64": "YQBi"}),
        (b"\xff", "application/octet-stream", {"body_base64": "/w=="}),
    ],
)
def test_a_body_is_text_where_it_can_be(
    body: bytes, content_type: str, fields: dict[str, str]
) -> None:
    assert body_fields(body, content_type) == fields


def test_an_event_is_one_line_of_utf8_whatever_it_says() -> None:
    fields = event(body="line\nfeed\rreturn\u2028separator \ud800 end")
    line = as_json(fields)
    assert b"\n" not in line
    assert b"\r" not in line
    assert json.loads(line)["body"] == "line\nfeed\rreturn\u2028separator ? end"


class TestTooLarge:
    def test_what_fits_is_whole(self) -> None:
        fields = event(**entry_fields(["<entry/>"], [DESCRIBED]))
        assert json.loads(fitted(fields, bytes_max=len(as_json(fields)))) == fields

    def test_first_the_sources_go(self) -> None:
        fields = event(**entry_fields(["x" * 5_000], [DESCRIBED]))
        found = json.loads(fitted(fields, bytes_max=4_096))
        assert found == event(entries=[DESCRIBED], truncated=True)

    def test_then_the_last_entries(self) -> None:
        described = [{"id": str(number), "title": "x" * 100} for number in range(100)]
        fields = event(**entry_fields(["<entry/>"] * 100, described))
        fitting = fitted(fields, bytes_max=4_096)
        found = json.loads(fitting)["entries"]
        assert len(fitting) <= 4_096
        assert found == described[: len(found)]
        assert found

    def test_entries_that_are_nothing_but_their_source_go_with_it(self) -> None:
        fields = event(**entry_fields(["x" * 5_000], None))
        assert json.loads(fitted(fields, bytes_max=4_096))["entries"] == []


class TestFrames:
    PREPARED = Prepared(topic_id="t", event_id=EventId(7, 1), sse_type="", json=b'{"a":1}')
    RESET = Prepared(topic_id="t", event_id=EventId(7, 1), sse_type="reset", json=b"{}")

    @pytest.mark.parametrize(
        ("channel", "frame"),
        [
            (Channel.SSE, b'id: 7-1\ndata: {"a":1}\n\n'),
            (Channel.LINES, b'{"a":1}\n'),
            (Channel.WEBSOCKET, b'\x81\x07{"a":1}'),
        ],
    )
    def test_each_channel_has_its_own_and_the_same_object_each_time(
        self, channel: Channel, frame: bytes
    ) -> None:
        assert self.PREPARED.framed(channel) == frame
        assert self.PREPARED.framed(channel) is self.PREPARED.framed(channel)

    def test_a_mark_has_its_name_in_server_sent_events(self) -> None:
        assert self.RESET.framed(Channel.SSE) == b"id: 7-1\nevent: reset\ndata: {}\n\n"
