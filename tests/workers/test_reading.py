"""What each answer to a fetch comes to, without a network or a Redis."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from hub.feeds.diff import FLOOD_DOCUMENTS_MIN, Seen
from hub.outbound.request import UNSENT, Answer, NoAnswer, Reason
from hub.protocol.urls import topic_id
from hub.store.log import EntriesEvent, WholeEvent
from hub.store.topics import FetchOutcome, FetchRecord, TopicClaim
from tests.workers.feeds import ATOM, JSON, atom, entries_of, json_feed
from workers.reading import (
    FAILURES_MAX,
    RECHECK_MS,
    REFUSAL,
    fingerprint,
    is_changed,
    judge_fetch,
)

URL = "http://site.example/feed"
NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
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
    claimed_at_ms=NOW_MS,
)


def answer(body: bytes = b"hello", status: int = 200, **fields: str) -> Answer:
    named = ((name.replace("_", "-"), value) for name, value in fields.items())
    return Answer(status=status, headers=tuple(named), body=body, url=URL, elapsed_s=0.1)


def no_answer(reason: Reason) -> NoAnswer:
    return NoAnswer(reason=reason, detail="It went wrong.", elapsed_s=0.1)


def judge(claim: TopicClaim, got: Answer | NoAnswer, seen: Mapping[bytes, Seen]) -> FetchRecord:
    body = got.body if isinstance(got, Answer) else b""
    return judge_fetch(claim, got, fingerprint(body), seen)


def after(body: bytes, failures: int = 0) -> tuple[TopicClaim, dict[bytes, Seen]]:
    """The topic once this body has been read, and its entries."""
    record = judge(FRESH, answer(body), {})
    claim = replace(
        FRESH,
        has_baseline=True,
        documents=FLOOD_DOCUMENTS_MIN,
        body_hash=fingerprint(body),
        is_feed=record.facts["format"] != "whole",
    )
    return replace(claim, failures=failures), dict(record.seen)


class TestNoDocument:
    @pytest.mark.parametrize("status", [201, 204, 206, 301, 404, 410, 500, 503])
    def test_a_status_other_than_200_is_a_failure_that_names_it(self, status: int) -> None:
        record = judge(FRESH, answer(status=status), {})
        assert record == FetchRecord(
            outcome=FetchOutcome.FAILED, facts={"outcome": f"status {status}"}, retry_ms=10_000
        )

    def test_an_empty_body_is_a_failure(self) -> None:
        record = judge(FRESH, answer(b""), {})
        assert record == FetchRecord(
            outcome=FetchOutcome.FAILED, facts={"outcome": "empty body"}, retry_ms=10_000
        )

    @pytest.mark.parametrize(
        "reason",
        [r for r in Reason if r not in UNSENT | {Reason.ADDRESS_BLOCKED, Reason.BAD_URL}],
    )
    def test_no_answer_is_a_failure_that_says_why(self, reason: Reason) -> None:
        record = judge(FRESH, no_answer(reason), {})
        assert record == FetchRecord(
            outcome=FetchOutcome.FAILED, facts={"outcome": "It went wrong."}, retry_ms=10_000
        )

    @pytest.mark.parametrize("reason", [Reason.ADDRESS_BLOCKED, Reason.BAD_URL])
    def test_a_topic_that_must_not_be_fetched_is_refused_to_subscribers(
        self, reason: Reason
    ) -> None:
        record = judge(FRESH, no_answer(reason), {})
        # The reason that subscribers are told names no address: the hub is no oracle of names.
        assert record.facts == {"outcome": "It went wrong.", "refused": REFUSAL}
        assert record.outcome is FetchOutcome.FAILED

    def test_a_fetch_that_the_stopping_hub_broke_off_is_given_back(self) -> None:
        record = judge(FRESH, no_answer(Reason.STOPPED), {})
        assert record == FetchRecord(outcome=FetchOutcome.RELEASED)

    def test_a_fetch_that_had_no_turn_is_given_back_for_later(self) -> None:
        record = judge(FRESH, no_answer(Reason.NOT_STARTED), {})
        assert record == FetchRecord(outcome=FetchOutcome.RELEASED, retry_ms=2_000)

    @pytest.mark.parametrize(
        ("failures", "retry_ms"),
        [(0, 10_000), (1, 60_000), (2, 300_000), (3, 1_800_000), (4, 3_600_000), (99, 3_600_000)],
    )
    def test_failures_are_retried_ever_later(self, failures: int, retry_ms: int) -> None:
        record = judge(replace(FRESH, failures=failures), answer(status=500), {})
        assert record.retry_ms == retry_ms

    def test_after_seven_days_of_failures_only_a_ping_helps(self) -> None:
        last = replace(FRESH, failures=FAILURES_MAX - 2)
        assert judge(last, answer(status=500), {}).retry_ms == 3_600_000
        over = replace(FRESH, failures=FAILURES_MAX - 1)
        assert judge(over, answer(status=500), {}).retry_ms is None


class TestUnchanged:
    def test_304_is_no_news_and_looked_at_again(self) -> None:
        claim, seen = after(b"hello")
        assert judge(claim, answer(b"", 304), seen) == FetchRecord(
            outcome=FetchOutcome.SAME,
            facts={"outcome": "unchanged", "mishaps": "0"},
            recheck_ms=RECHECK_MS,
        )

    def test_304_to_who_has_nothing_is_a_failure(self) -> None:
        assert judge(FRESH, answer(b"", 304), {}).facts == {"outcome": "status 304"}

    def test_the_same_bytes_are_no_news_but_bring_validators(self) -> None:
        claim, seen = after(b"hello")
        record = judge(claim, answer(b"hello", etag='"2"'), seen)
        assert record == FetchRecord(
            outcome=FetchOutcome.SAME,
            facts={"outcome": "unchanged", "etag": b'"2"', "last_modified": b"", "mishaps": "0"},
            recheck_ms=RECHECK_MS,
        )
        assert not is_changed(claim, answer(b"hello"), fingerprint(b"hello"))

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
        record = judge(claim, answer(now), seen)
        assert (record.outcome, record.event) == (FetchOutcome.SAME, None)
        assert (record.body, record.recheck_ms) == (now, RECHECK_MS)
        assert record.facts["body_hash"] == fingerprint(now)


class TestNews:
    def test_a_document_that_is_no_feed_goes_out_whole(self) -> None:
        record = judge(FRESH, answer(b"hello", content_type="text/plain; charset=x"), {})
        assert record.event == WholeEvent(content_type="text/plain; charset=x")
        assert (record.outcome, record.body) == (FetchOutcome.NEWS, b"hello")
        assert record.facts["content_type"] == b"text/plain; charset=x"
        assert record.facts["format"] == "whole"

    def test_a_document_without_a_type_is_octets(self) -> None:
        record = judge(FRESH, answer(b"hello"), {})
        assert record.event == WholeEvent(content_type="application/octet-stream")

    def test_new_and_changed_entries_alone_are_the_event_of_a_feed(self) -> None:
        claim, seen = after(atom("c", "b", "a"))
        record = judge(claim, answer(atom("d", "c", "b=B", "a"), content_type=ATOM), seen)
        assert isinstance(record.event, EntriesEvent)
        assert entries_of(record.event.ping.document) == ["d", "b=B"]
        assert record.event.content_type == ATOM
        assert record.body == atom("d", "c", "b=B", "a")
        assert record.facts["documents"] == str(claim.documents + 1)
        assert len(record.seen) == 2

    def test_a_first_feed_is_an_event_with_all_entries(self) -> None:
        record = judge(FRESH, answer(atom("b", "a")), {})
        assert isinstance(record.event, EntriesEvent)
        assert entries_of(record.event.ping.document) == ["b", "a"]

    def test_a_first_feed_without_entries_is_an_event_as_a_whole(self) -> None:
        record = judge(FRESH, answer(atom(), content_type=ATOM), {})
        assert record.event == WholeEvent(content_type=ATOM)

    def test_a_feed_that_becomes_a_page_is_a_mishap_at_first(self) -> None:
        claim, seen = after(atom("a"))
        record = judge(claim, answer(b"<html>Sorry</html>"), seen)
        assert record.outcome is FetchOutcome.FAILED
        assert (record.event, record.body, record.retry_ms) == (None, None, 10_000)
        assert str(record.facts["outcome"]).startswith("was a feed, now is not")

    def test_other_failures_do_not_make_a_page_of_a_feed_believed(self) -> None:
        claim, seen = after(atom("a"), failures=40)
        record = judge(claim, answer(b"<html>Sorry</html>"), seen)
        assert record.outcome is FetchOutcome.FAILED

    def test_new_and_changed_items_alone_are_the_event_of_a_json_feed(self) -> None:
        claim, seen = after(json_feed("b", "a"))
        record = judge(claim, answer(json_feed("c", "b=B", "a"), content_type=JSON), seen)
        assert isinstance(record.event, EntriesEvent)
        assert record.event.ping.document == json_feed("c", "b=B")
        assert record.event.content_type == JSON
        assert record.body == json_feed("c", "b=B", "a")
        assert (record.facts["format"], claim.is_feed) == ("json", True)

    def test_a_json_feed_without_a_new_item_is_no_event(self) -> None:
        claim, seen = after(json_feed("b", "a"))
        record = judge(claim, answer(json_feed("a", title="new")), seen)
        assert (record.outcome, record.event) == (FetchOutcome.SAME, None)

    def test_a_broken_feed_is_read_and_says_what_is_wrong(self) -> None:
        claim, seen = after(atom("a"))
        broken = atom("b", "a", head="<title>&nbsp;</title>")
        record = judge(claim, answer(broken), seen)
        assert isinstance(record.event, EntriesEvent)
        assert entries_of(record.event.ping.document) == ["b"]
        assert record.facts["outcome"] == "read, though not well-formed: undefined entity (line 2)"


class TestTheKeptBody:
    """It is what somebody gets who is behind the log, so it must have what the topic had."""

    BEFORE = atom("c", "b", "a")

    @pytest.mark.parametrize(
        "now",
        [BEFORE[:-60], BEFORE.replace(b"A feed", b"A &nbsp; feed")],
        ids=["cut off", "ill-formed"],
    )
    def test_a_broken_document_without_news_does_not_take_the_place_of_a_good_one(
        self, now: bytes
    ) -> None:
        claim, seen = after(self.BEFORE)
        record = judge(claim, answer(now, content_type="text/plain"), seen)
        assert (record.outcome, record.event, record.body) == (FetchOutcome.SAME, None, None)
        assert "content_type" not in record.facts
        assert record.facts["body_hash"] == fingerprint(now)
        claim = replace(claim, body_hash=fingerprint(now))
        again = judge(claim, answer(self.BEFORE), {**seen, **record.seen})
        assert (again.event, again.body) == (None, self.BEFORE)

    def test_a_broken_document_with_news_does(self) -> None:
        claim, seen = after(self.BEFORE)
        now = atom("d", "c", head="<a>&nbsp;</a>")
        assert judge(claim, answer(now), seen).body == now


class TestFlood:
    OLD = tuple(f"old{number}" for number in range(30))
    NEW = tuple(f"new{number}" for number in range(30))

    def test_all_new_ids_at_once_are_a_mishap_at_first(self) -> None:
        claim, seen = after(atom(*self.OLD))
        record = judge(claim, answer(atom(*self.NEW)), seen)
        assert record == FetchRecord(
            outcome=FetchOutcome.FAILED,
            facts={
                "outcome": "30 entries are new at once",
                "mishaps": "1",
                "mishaps_since": str(NOW_MS),
            },
            retry_ms=10_000,
        )

    def test_a_feed_that_is_well_again_brings_nothing_but_its_news(self) -> None:
        claim, seen = after(atom(*self.OLD))
        record = judge(replace(claim, mishaps=1), answer(atom("x", *self.OLD)), seen)
        assert isinstance(record.event, EntriesEvent)
        assert entries_of(record.event.ping.document) == ["x"]
        assert record.facts["mishaps"] == "0"

    def test_a_flood_that_lasts_is_believed_and_its_first_twenty_are_delivered(self) -> None:
        claim, seen = after(atom(*self.OLD))
        record = judge(lasting(claim), answer(atom(*self.NEW)), seen)
        assert isinstance(record.event, EntriesEvent)
        assert entries_of(record.event.ping.document) == list(self.NEW[:20])
        assert record.facts["outcome"] == "read, though 10 entries were withheld"
        known = {**seen, **record.seen}
        later = replace(
            claim, documents=claim.documents + 1, body_hash=fingerprint(atom(*self.NEW))
        )
        assert judge(later, answer(atom("x", *self.NEW)), known).event is not None
        assert judge(later, answer(atom(*self.NEW, *self.OLD)), known).event is None


class TestMishaps:
    OLD = tuple(f"old{number}" for number in range(30))
    KINDS = (
        pytest.param(b"<html>Sorry</html>", FetchOutcome.NEWS, id="a page"),
        pytest.param(atom(), FetchOutcome.SAME, id="an empty feed"),
        pytest.param(atom(*map(str, range(30))), FetchOutcome.NEWS, id="all new ids"),
    )

    @pytest.mark.parametrize(("body", "then"), KINDS)
    def test_the_retry_of_failed_fetches_alone_gets_to_the_end_of_it(
        self, body: bytes, then: FetchOutcome
    ) -> None:
        claim, seen = after(atom(*self.OLD))
        waited_ms = []
        record = judge(claim, answer(body), seen)
        while record.outcome is FetchOutcome.FAILED:
            assert record.retry_ms is not None
            waited_ms.append(record.retry_ms)
            claim = replace(following(claim, record), claimed_at_ms=NOW_MS + sum(waited_ms))
            record = judge(claim, answer(body), seen)
        assert waited_ms == [10_000, 60_000, 300_000, 1_800_000, 3_600_000]
        assert (record.outcome, record.facts["mishaps"]) == (then, "0")

    @pytest.mark.parametrize(("body", "then"), KINDS)
    def test_any_number_of_pings_within_the_hour_makes_nothing_believed(
        self, body: bytes, then: FetchOutcome
    ) -> None:
        claim, seen = after(atom(*self.OLD))
        for number in range(FAILURES_MAX + 9):
            record = judge(claim, answer(body), seen)
            assert record.outcome is FetchOutcome.FAILED
            assert record.retry_ms is not None
            assert record.facts["mishaps_since"] == str(NOW_MS)
            at_ms = NOW_MS + number * (HOUR_MS - 1) // (FAILURES_MAX + 8)
            claim = replace(following(claim, record), claimed_at_ms=at_ms)
        claim = replace(claim, claimed_at_ms=NOW_MS + HOUR_MS)
        assert judge(claim, answer(body), seen).outcome is then

    def test_an_hour_alone_is_not_enough(self) -> None:
        claim, seen = after(atom("a"))
        claim = replace(claim, mishaps=3, mishaps_since_ms=NOW_MS - 24 * HOUR_MS)
        record = judge(claim, answer(b"<html>Sorry</html>"), seen)
        assert (record.outcome, record.facts["mishaps"]) == (FetchOutcome.FAILED, "4")

    @pytest.mark.parametrize(
        ("mishaps", "since_ms"),
        [
            pytest.param(9, 0, id="a record without a time"),
            pytest.param(9, NOW_MS + 1, id="a clock that went back"),
            pytest.param(0, NOW_MS - 24 * HOUR_MS, id="mishaps that were over"),
        ],
    )
    def test_the_hour_begins_now_after(self, mishaps: int, since_ms: int) -> None:
        claim, seen = after(atom("a"))
        claim = replace(claim, mishaps=mishaps, mishaps_since_ms=since_ms)
        record = judge(claim, answer(b"<html>Sorry</html>"), seen)
        assert record.outcome is FetchOutcome.FAILED
        assert record.facts["mishaps_since"] == str(NOW_MS)

    @pytest.mark.parametrize(
        "got",
        [
            pytest.param(answer(b"", 304), id="not modified"),
            pytest.param(answer(atom("a")), id="the same"),
            pytest.param(answer(atom("b", "a")), id="news"),
        ],
    )
    def test_a_feed_that_is_well_again_starts_the_count_anew(self, got: Answer) -> None:
        claim, seen = after(atom("a"))
        assert judge(replace(claim, mishaps=3), got, seen).facts["mishaps"] == "0"

    def test_what_is_no_document_neither_counts_nor_ends_the_count(self) -> None:
        claim, seen = after(atom("a"))
        for got in (answer(b""), answer(status=503), no_answer(Reason.TIMED_OUT)):
            assert "mishaps" not in judge(replace(claim, mishaps=3), got, seen).facts


class TestAFeedThatIsEmptied:
    BEFORE = ("c", "b", "a")

    def emptied(self, body: bytes) -> tuple[TopicClaim, dict[bytes, Seen], FetchRecord]:
        """The feed, and what is known of it once it is believed to be empty."""
        claim, seen = after(body)
        empty = atom() if body.startswith(b"<?xml") else json_feed()
        record = judge(lasting(claim), answer(empty, content_type="text/xml"), seen)
        claim = replace(claim, body_hash=fingerprint(empty))
        return claim, {**seen, **record.seen}, record

    def test_it_is_a_mishap_that_says_how_many_it_had(self) -> None:
        claim, seen = after(atom(*self.BEFORE))
        record = judge(claim, answer(atom()), seen)
        assert record.facts["outcome"] == "had 3 entries, now has none"
        assert (record.event, record.body, record.seen, record.evicted) == (None, None, {}, ())

    def test_believed_it_is_no_event_and_the_last_document_with_entries_is_kept(self) -> None:
        for body in (atom(*self.BEFORE), json_feed(*self.BEFORE)):
            _, seen, record = self.emptied(body)
            assert (record.outcome, record.event, record.body) == (FetchOutcome.SAME, None, None)
            assert record.facts["outcome"] == "read, though without entries"
            assert record.facts.keys().isdisjoint({"content_type", "documents"})
            assert (record.evicted, len(seen)) == ((), 3)

    def test_what_comes_back_is_no_news_and_what_is_new_is(self) -> None:
        for make in (atom, json_feed):
            claim, seen, _ = self.emptied(make(*self.BEFORE))
            record = judge(claim, answer(make("d", *self.BEFORE)), seen)
            assert isinstance(record.event, EntriesEvent)
            assert record.event.ping.document == make("d")
            assert judge(claim, answer(make(*self.BEFORE)), seen).event is None

    def test_however_often_its_envelope_changes_nothing_is_forgotten(self) -> None:
        many = [f"e{number}" for number in range(500)]
        claim, seen, _ = self.emptied(atom(*many))
        for day in range(60):
            record = judge(claim, answer(atom(updated=f"day {day}")), seen)
            assert (record.outcome, record.event, record.evicted) == (FetchOutcome.SAME, None, ())
            assert record.seen == {}
            assert "documents" not in record.facts
        few = judge(claim, answer(atom("new", *many[:3])), seen)
        assert few.evicted == ()
        assert judge(claim, answer(atom(*many)), {**seen, **few.seen}).event is None

    def test_a_feed_that_never_had_entries_may_stay_without(self) -> None:
        claim, seen = after(atom())
        record = judge(claim, answer(atom(updated="later")), seen)
        assert (record.outcome, record.event) == (FetchOutcome.SAME, None)
        assert record.body == atom(updated="later")


def lasting(claim: TopicClaim) -> TopicClaim:
    """The topic when its mishaps have come often and for long enough."""
    return replace(claim, mishaps=4, mishaps_since_ms=NOW_MS - HOUR_MS)


def following(claim: TopicClaim, record: FetchRecord) -> TopicClaim:
    """The topic as the next fetch finds it after one that failed."""
    return replace(
        claim,
        failures=claim.failures + 1,
        mishaps=int(record.facts["mishaps"]),
        mishaps_since_ms=int(record.facts["mishaps_since"]),
    )


class TestFacts:
    def test_headers_name_the_hubs_and_the_topic_before_the_feed_does(self) -> None:
        inside = '<link rel="hub" href="http://in/"/><link rel="self" href="/in"/>'
        record = judge(FRESH, answer(atom("a", head=inside)), {})
        assert record.facts["hubs"] == "http://in/"
        assert record.facts["self"] == "http://site.example/in"
        link = '<http://h1/>; rel="hub", <http://h2/>; rel=hub, </out>; rel="self"'
        record = judge(FRESH, answer(atom("a", head=inside), link=link), {})
        assert record.facts["hubs"] == "http://h1/\nhttp://h2/"
        assert record.facts["self"] == "http://site.example/out"

    def test_what_a_topic_no_longer_names_is_forgotten(self) -> None:
        facts = judge(FRESH, answer(b"x"), {}).facts
        assert (facts["hubs"], facts["self"], facts["self_key"]) == ("", "", "")

    def test_links_are_resolved_against_where_the_document_came_from(self) -> None:
        moved = answer(b"x", link="<s>; rel=self")._replace(url="https://moved.example/a/b")
        assert judge(FRESH, moved, {}).facts["self"] == "https://moved.example/a/s"

    def test_a_page_is_one_by_its_type_and_not_by_what_stands_for_none(self) -> None:
        page = b"<!doctype html><link rel=self href=/s>"
        for got in (answer(page), answer(page, content_type="text/html")):
            assert judge(FRESH, got, {}).facts["self"] == "http://site.example/s"
        octets = answer(page, content_type="application/octet-stream")
        assert judge(FRESH, octets, {}).facts["self"] == ""

    def test_the_url_that_a_topic_names_is_known_as_pings_know_it(self) -> None:
        got = answer(b"x", link="<http://Other/%7ea?b#c>; rel=self")
        facts = judge(FRESH, got, {}).facts
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
        facts = judge(FRESH, got, {}).facts
        expected = (b'"e"', modified.encode()) if is_kept else (b"", b"")
        assert (facts["etag"], facts["last_modified"]) == expected

    def test_header_bytes_beyond_ascii_survive(self) -> None:
        facts = judge(FRESH, answer(b"x", etag='"\xe9"', content_type="a/\xff"), {}).facts
        assert (facts["etag"], facts["content_type"]) == (b'"\xe9"', b"a/\xff")
