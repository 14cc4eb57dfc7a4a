"""What a request for events asks for, and how it is refused."""

import pytest

from hub.protocol.rejection import RequestRejected
from hub.store.event_id import EventId
from hub.web.events.acceptance import Form, Raw, wanted_form
from hub.web.events.query import After, Query, Since, Start, read_query

TOPIC = "https://topic.example/feed?a=1"
GIVEN = [("topic", TOPIC)]


def read(*fields: tuple[str, str], last_event_id: str | None = None) -> Query:
    return read_query([*GIVEN, *fields], last_event_id, url_max_bytes=2_048)


class TestQuery:
    def test_a_topic_alone_is_read_from_now_on(self) -> None:
        assert read() == Query(topics=(TOPIC,), beginning=Start.NOW, limit=100, wait_s=0)

    def test_topics_are_kept_in_order_and_once(self) -> None:
        other = "http://other.example/"
        assert read(("topic", other), ("topic", TOPIC)).topics == (TOPIC, other)

    @pytest.mark.parametrize(
        ("fields", "header", "beginning"),
        [
            ([("after", "17-3")], None, After(event_id=EventId(17, 3))),
            ([("after", "17-3..18-0")], None, After(event_id=EventId(18, 0))),
            ([("after", "earliest")], None, Start.EARLIEST),
            ([("after", "")], None, Start.NOW),
            ([("since", "90")], None, Since(ms=90_000)),
            ([("since", "10m")], None, Since(ms=600_000)),
            ([("since", "7d")], None, Since(ms=604_800_000)),
            ([("after", "17-3"), ("since", "10m")], None, After(event_id=EventId(17, 3))),
            ([("after", "earliest")], "17-3", After(event_id=EventId(17, 3))),
            ([], "17-3", After(event_id=EventId(17, 3))),
        ],
    )
    def test_it_begins(
        self, fields: list[tuple[str, str]], header: str | None, beginning: object
    ) -> None:
        assert read(*fields, last_event_id=header).beginning == beginning

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ([("after", "yesterday")], "after"),
            ([("after", "17")], "after"),
            ([("after", "17-3-1")], "after"),
            ([("after", "٣-0")], "after"),
            ([("after", "17-3"), ("after", "18-0")], "after"),
            ([("since", "tomorrow")], "since"),
            ([("since", "-1s")], "since"),
            ([("limit", "0")], "limit"),
            ([("limit", "1001")], "limit"),
            ([("limit", "1e3")], "limit"),
            ([("limit", "1" * 5_000)], "limit"),
            ([("wait", "56")], "wait"),
            ([("wait", "²")], "wait"),
            ([("topic", "ftp://topic.example/")], "topic"),
            ([("topic", "//topic.example/")], "topic"),
            ([("topic", "http://topic.example/" + "x" * 2_048)], "topic"),
            ([("topic", f"http://topic.example/{n}") for n in range(128)], "topic"),
        ],
    )
    def test_what_cannot_be_is_refused_by_name(
        self, fields: list[tuple[str, str]], field: str
    ) -> None:
        with pytest.raises(RequestRejected) as refused:
            read(*fields)
        assert (refused.value.status, refused.value.field) == (400, field)

    def test_no_topic_at_all_is_refused(self) -> None:
        with pytest.raises(RequestRejected, match="topic is missing"):
            read_query([], None, url_max_bytes=2_048)


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", Form.PULL),
        ("*/*", Form.PULL),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Form.PULL),
        ("text/event-stream", Form.SSE),
        ("Text/Event-Stream; charset=utf-8", Form.SSE),
        ("application/x-ndjson", Form.LINES),
        ("application/json;q=0.5, text/event-stream", Form.SSE),
        ("text/event-stream;q=0, */*", Form.PULL),
        ("text/event-stream;q=none", Form.SSE),
        ("application/atom+xml", Raw(types=("application/atom+xml",), otherwise=None)),
        (
            "application/atom+xml, application/rss+xml;q=0.9, */*;q=0.1",
            Raw(types=("application/atom+xml", "application/rss+xml"), otherwise=Form.PULL),
        ),
        (",;,", Raw(types=("",), otherwise=None)),
    ],
)
def test_the_form_is_the_one_that_is_preferred(accept: str, wanted: object) -> None:
    assert wanted_form(accept) == wanted
