"""What each answer to a fetch comes to, without a network or a Redis."""

import json
from dataclasses import replace

import pytest

from hub.feeds.diff import Seen
from hub.outbound.request import UNSENT, Answer, NoAnswer, Reason
from hub.protocol.urls import topic_id
from hub.store.log import EntriesEvent, WholeEvent
from hub.store.topics import FetchOutcome, FetchRecord, TopicClaim
from tests.workers.feeds import ATOM, atom, entries_of
from workers.reading import (
    FAILURES_MAX,
    RECHECK_MS,
    REFUSAL,
    fingerprint,
    is_changed,
    judge_fetch,
)

URL = "http://site.example/feed"
JSON = "application/feed+json"
FRESH = TopicClaim(
    topic_id="t",
    token="1.a",
    url=URL,
    etag="",
    last_modified="",
    body_hash=b"",
    documents=0,
    subscriptions=1,
    failures=0,
    has_baseline=False,
    is_feed=False,
)


def answer(body: bytes = b"hello", status: int = 200, **fields: str) -> Answer:
    named = ((name.replace("_", "-"), value) for name, value in fields.items())
    return Answer(status=status, headers=tuple(named), body=body, url=URL, elapsed_s=0.1)


def no_answer(reason: Reason) -> NoAnswer:
    return NoAnswer(reason=reason, detail="It went wrong.", elapsed_s=0.1)


def after(body: bytes, failures: int = 0) -> tuple[TopicClaim, dict[bytes, Seen]]:
    """The topic once this body has been read, and its entries."""
    record = judge_fetch(FRESH, answer(body), {})
    claim = replace(
        FRESH,
        has_baseline=True,
        documents=1,
        body_hash=fingerprint(body),
        is_feed=record.facts["format"] == "feed",
    )
    return replace(claim, failures=failures), dict(record.seen)


def json_feed(*ids: str, title: str = "") -> bytes:
    items = [{"id": name} for name in ids]
    version = "https://jsonfeed.org/version/1.1"
    return json.dumps({"version": version, "title": title, "items": items}).encode()


class TestNoDocument:
    @pytest.mark.parametrize("status", [201, 204, 206, 301, 404, 410, 500, 503])
    def test_a_status_other_than_200_is_a_failure_that_names_it(self, status: int) -> None:
        record = judge_fetch(FRESH, answer(status=status), {})
        assert record == FetchRecord(
            outcome=FetchOutcome.FAILED, facts={"outcome": f"status {status}"}, retry_ms=10_000
        )

    def test_an_empty_body_is_a_failure(self) -> None:
        record = judge_fetch(FRESH, answer(b""), {})
        assert record == FetchRecord(
            outcome=FetchOutcome.FAILED, facts={"outcome": "empty body"}, retry_ms=10_000
        )

    @pytest.mark.parametrize(
        "reason",
        [r for r in Reason if r not in UNSENT | {Reason.ADDRESS_BLOCKED, Reason.BAD_URL}],
    )
    def test_no_answer_is_a_failure_that_says_why(self, reason: Reason) -> None:
        record = judge_fetch(FRESH, no_answer(reason), {})
        assert record == FetchRecord(
            outcome=FetchOutcome.FAILED, facts={"outcome": "It went wrong."}, retry_ms=10_000
        )

    @pytest.mark.parametrize("reason", [Reason.ADDRESS_BLOCKED, Reason.BAD_URL])
    def test_a_topic_that_must_not_be_fetched_is_refused_to_subscribers(
        self, reason: Reason
    ) -> None:
        record = judge_fetch(FRESH, no_answer(reason), {})
        # The reason that subscribers are told names no address: the hub is no oracle of names.
        assert record.facts == {"outcome": "It went wrong.", "refused": REFUSAL}
        assert record.outcome is FetchOutcome.FAILED

    def test_a_fetch_that_the_stopping_hub_broke_off_is_given_back(self) -> None:
        record = judge_fetch(FRESH, no_answer(Reason.STOPPED), {})
        assert record == FetchRecord(outcome=FetchOutcome.RELEASED)

    def test_a_fetch_that_had_no_turn_is_given_back_for_later(self) -> None:
        record = judge_fetch(FRESH, no_answer(Reason.NOT_STARTED), {})
        assert record == FetchRecord(outcome=FetchOutcome.RELEASED, retry_ms=2_000)

    @pytest.mark.parametrize(
        ("failures", "retry_ms"),
        [(0, 10_000), (1, 60_000), (2, 300_000), (3, 1_800_000), (4, 3_600_000), (99, 3_600_000)],
    )
    def test_failures_are_retried_ever_later(self, failures: int, retry_ms: int) -> None:
        record = judge_fetch(replace(FRESH, failures=failures), answer(status=500), {})
        assert record.retry_ms == retry_ms

    def test_after_seven_days_of_failures_only_a_ping_helps(self) -> None:
        last = replace(FRESH, failures=FAILURES_MAX - 2)
        assert judge_fetch(last, answer(status=500), {}).retry_ms == 3_600_000
        over = replace(FRESH, failures=FAILURES_MAX - 1)
        assert judge_fetch(over, answer(status=500), {}).retry_ms is None


class TestUnchanged:
    def test_304_is_no_news_and_looked_at_again(self) -> None:
        claim, seen = after(b"hello")
        assert judge_fetch(claim, answer(b"", 304), seen) == FetchRecord(
            outcome=FetchOutcome.SAME, facts={"outcome": "unchanged"}, recheck_ms=RECHECK_MS
        )

    def test_304_to_who_has_nothing_is_a_failure(self) -> None:
        assert judge_fetch(FRESH, answer(b"", 304), {}).facts == {"outcome": "status 304"}

    def test_the_same_bytes_are_no_news_but_bring_validators(self) -> None:
        claim, seen = after(b"hello")
        record = judge_fetch(claim, answer(b"hello", etag='"2"'), seen)
        assert record == FetchRecord(
            outcome=FetchOutcome.SAME,
            facts={"outcome": "unchanged", "etag": b'"2"', "last_modified": b"", "mishaps": "0"},
            recheck_ms=RECHECK_MS,
        )
        assert not is_changed(claim, answer(b"hello"))

    @pytest.mark.parametrize(
        "now",
        [
            pytest.param(atom("b", "a", updated="2026-02-02T00:00:00Z"), id="its own date"),
            pytest.param(atom("a", "b"), id="order"),
            pytest.param(atom("a"), id="an entry left"),
            pytest.param(atom("b", "a").replace(b"><title>", b">\n   <title>"), id="white space"),
            pytest.param(
                atom("b", "a").replace(b"<updated>2026-01-01", b"<updated>2026-03-03"),
                id="restamped entries",
            ),
            pytest.param(atom("b", "a", head="<!-- built at 12:01 -->"), id="a comment"),
        ],
    )
    def test_a_feed_without_news_is_written_but_is_no_event(self, now: bytes) -> None:
        claim, seen = after(atom("b", "a"))
        record = judge_fetch(claim, answer(now), seen)
        assert (record.outcome, record.event) == (FetchOutcome.SAME, None)
        assert (record.body, record.recheck_ms) == (now, RECHECK_MS)
        assert record.facts["body_hash"] == fingerprint(now)


class TestNews:
    def test_a_document_that_is_no_feed_goes_out_whole(self) -> None:
        record = judge_fetch(FRESH, answer(b"hello", content_type="text/plain; charset=x"), {})
        assert record.event == WholeEvent(content_type="text/plain; charset=x")
        assert (record.outcome, record.body) == (FetchOutcome.NEWS, b"hello")
        assert record.facts["content_type"] == b"text/plain; charset=x"
        assert record.facts["format"] == "whole"

    def test_a_document_without_a_type_is_octets(self) -> None:
        record = judge_fetch(FRESH, answer(b"hello"), {})
        assert record.event == WholeEvent(content_type="application/octet-stream")

    def test_new_and_changed_entries_alone_are_the_event_of_a_feed(self) -> None:
        claim, seen = after(atom("c", "b", "a"))
        record = judge_fetch(claim, answer(atom("d", "c", "b=B", "a"), content_type=ATOM), seen)
        assert isinstance(record.event, EntriesEvent)
        assert entries_of(record.event.ping.document) == ["d", "b=B"]
        assert record.event.content_type == ATOM
        assert record.body == atom("d", "c", "b=B", "a")
        assert record.facts["documents"] == "2"
        assert len(record.seen) == 2

    def test_a_first_feed_is_an_event_with_all_entries(self) -> None:
        record = judge_fetch(FRESH, answer(atom("b", "a")), {})
        assert isinstance(record.event, EntriesEvent)
        assert entries_of(record.event.ping.document) == ["b", "a"]

    def test_a_first_feed_without_entries_is_an_event_as_a_whole(self) -> None:
        record = judge_fetch(FRESH, answer(atom(), content_type=ATOM), {})
        assert record.event == WholeEvent(content_type=ATOM)

    def test_a_feed_that_becomes_a_page_is_a_mishap_at_first(self) -> None:
        claim, seen = after(atom("a"))
        record = judge_fetch(claim, answer(b"<html>Sorry</html>"), seen)
        assert record.outcome is FetchOutcome.FAILED
        assert (record.event, record.body, record.retry_ms) == (None, None, 10_000)
        assert str(record.facts["outcome"]).startswith("was a feed, now is not")

    def test_a_feed_that_stays_a_page_is_believed_to_be_one(self) -> None:
        claim, seen = after(atom("a"))
        for _ in range(4):
            record = judge_fetch(claim, answer(b"<html>Sorry</html>"), seen)
            assert record.outcome is FetchOutcome.FAILED
            claim = replace(claim, mishaps=int(record.facts["mishaps"]))
        record = judge_fetch(claim, answer(b"<html>Sorry</html>"), seen)
        assert record.event == WholeEvent(content_type="application/octet-stream")

    def test_other_failures_do_not_make_a_page_of_a_feed_believed(self) -> None:
        claim, seen = after(atom("a"), failures=40)
        record = judge_fetch(claim, answer(b"<html>Sorry</html>"), seen)
        assert record.outcome is FetchOutcome.FAILED

    def test_a_feed_that_is_well_again_starts_the_count_anew(self) -> None:
        claim, seen = after(atom("a"))
        for body in (atom("a"), atom("b", "a")):
            record = judge_fetch(replace(claim, mishaps=3), answer(body), seen)
            assert record.facts["mishaps"] == "0"

    def test_a_json_feed_goes_out_whole_when_an_item_is_new(self) -> None:
        claim, seen = after(json_feed("a"))
        record = judge_fetch(claim, answer(json_feed("b", "a"), content_type=JSON), seen)
        assert record.event == WholeEvent(content_type=JSON)
        assert record.facts["format"] == "feed"

    def test_a_json_feed_without_a_new_item_is_no_event(self) -> None:
        claim, seen = after(json_feed("b", "a"))
        record = judge_fetch(claim, answer(json_feed("a", title="new")), seen)
        assert (record.outcome, record.event) == (FetchOutcome.SAME, None)

    def test_a_broken_feed_is_read_and_says_what_is_wrong(self) -> None:
        claim, seen = after(atom("a"))
        broken = atom("b", "a", head="<title>&nbsp;</title>")
        record = judge_fetch(claim, answer(broken), seen)
        assert isinstance(record.event, EntriesEvent)
        assert entries_of(record.event.ping.document) == ["b"]
        assert record.facts["outcome"] == "read, though not well-formed: undefined entity (line 2)"


class TestFlood:
    OLD = tuple(f"old{number}" for number in range(30))
    NEW = tuple(f"new{number}" for number in range(30))

    def test_all_new_ids_at_once_are_a_mishap_at_first(self) -> None:
        claim, seen = after(atom(*self.OLD))
        record = judge_fetch(claim, answer(atom(*self.NEW)), seen)
        assert record == FetchRecord(
            outcome=FetchOutcome.FAILED,
            facts={"outcome": "30 entries are new at once", "mishaps": "1"},
            retry_ms=10_000,
        )

    def test_a_feed_that_is_well_again_brings_nothing_but_its_news(self) -> None:
        claim, seen = after(atom(*self.OLD))
        judge_fetch(claim, answer(atom(*self.NEW)), seen)
        record = judge_fetch(replace(claim, mishaps=1), answer(atom("x", *self.OLD)), seen)
        assert isinstance(record.event, EntriesEvent)
        assert entries_of(record.event.ping.document) == ["x"]
        assert record.facts["mishaps"] == "0"

    def test_a_flood_that_lasts_is_believed_and_its_first_twenty_are_delivered(self) -> None:
        claim, seen = after(atom(*self.OLD))
        record = judge_fetch(replace(claim, mishaps=4), answer(atom(*self.NEW)), seen)
        assert isinstance(record.event, EntriesEvent)
        assert entries_of(record.event.ping.document) == list(self.NEW[:20])
        known = {**seen, **record.seen}
        later = replace(claim, documents=2, body_hash=fingerprint(atom(*self.NEW)))
        assert judge_fetch(later, answer(atom("x", *self.NEW)), known).event is not None
        assert judge_fetch(later, answer(atom(*self.NEW, *self.OLD)), known).event is None


class TestFacts:
    def test_headers_name_the_hubs_and_the_topic_before_the_feed_does(self) -> None:
        inside = '<link rel="hub" href="http://in/"/><link rel="self" href="/in"/>'
        record = judge_fetch(FRESH, answer(atom("a", head=inside)), {})
        assert record.facts["hubs"] == "http://in/"
        assert record.facts["self"] == "http://site.example/in"
        link = '<http://h1/>; rel="hub", <http://h2/>; rel=hub, </out>; rel="self"'
        record = judge_fetch(FRESH, answer(atom("a", head=inside), link=link), {})
        assert record.facts["hubs"] == "http://h1/\nhttp://h2/"
        assert record.facts["self"] == "http://site.example/out"

    def test_what_a_topic_no_longer_names_is_forgotten(self) -> None:
        facts = judge_fetch(FRESH, answer(b"x"), {}).facts
        assert (facts["hubs"], facts["self"], facts["self_key"]) == ("", "", "")

    def test_links_are_resolved_against_where_the_document_came_from(self) -> None:
        moved = replace(answer(b"x", link="<s>; rel=self"), url="https://moved.example/a/b")
        assert judge_fetch(FRESH, moved, {}).facts["self"] == "https://moved.example/a/s"

    def test_a_page_is_one_by_its_type_and_not_by_what_stands_for_none(self) -> None:
        page = b"<!doctype html><link rel=self href=/s>"
        for got in (answer(page), answer(page, content_type="text/html")):
            assert judge_fetch(FRESH, got, {}).facts["self"] == "http://site.example/s"
        octets = answer(page, content_type="application/octet-stream")
        assert judge_fetch(FRESH, octets, {}).facts["self"] == ""

    def test_the_url_that_a_topic_names_is_known_as_pings_know_it(self) -> None:
        got = answer(b"x", link="<http://Other/%7ea?b#c>; rel=self")
        facts = judge_fetch(FRESH, got, {}).facts
        assert facts["self"] == "http://Other/%7ea?b#c"
        assert facts["self_key"] == topic_id("http://Other/~a?b")

    @pytest.mark.parametrize(
        ("modified", "is_kept"),
        [
            ("Mon, 05 Jan 2026 10:00:00 GMT", True),
            ("Mon, 05 Jan 2026 10:00:08 GMT", True),
            ("Mon, 05 Jan 2026 10:00:09 GMT", False),
            ("Mon, 05 Jan 2026 10:00:10 GMT", False),
            ("Mon, 05 Jan 2026 11:00:00 GMT", False),
            ("yesterday", True),
        ],
    )
    def test_validators_of_a_young_document_are_not_kept(
        self, modified: str, is_kept: bool
    ) -> None:
        date = "Mon, 05 Jan 2026 10:00:10 GMT"
        got = answer(b"x", etag='"e"', last_modified=modified, date=date)
        facts = judge_fetch(FRESH, got, {}).facts
        expected = (b'"e"', modified.encode()) if is_kept else (b"", b"")
        assert (facts["etag"], facts["last_modified"]) == expected

    def test_header_bytes_beyond_ascii_survive(self) -> None:
        facts = judge_fetch(FRESH, answer(b"x", etag='"\xe9"', content_type="a/\xff"), {}).facts
        assert (facts["etag"], facts["content_type"]) == (b'"\xe9"', b"a/\xff")
