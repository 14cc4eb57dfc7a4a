"""What is news, and what is remembered, over the versions of one feed."""

from collections.abc import Mapping

import pytest

from hub.feeds.diff import (
    FLOOD_DOCUMENTS_MIN,
    LATE_DOCUMENTS,
    RULES,
    Diff,
    Seen,
    diff,
    recognisable,
)
from hub.feeds.document import Feed, read_document
from hub.feeds.records import Known


def feed(*items: str) -> Feed:
    content = "".join(
        f"<item><guid>{item.partition('=')[0]}</guid><title>{item}</title></item>" for item in items
    )
    read = read_document(f"<rss><channel>{content}</channel></rss>".encode(), "")
    assert isinstance(read, Feed)
    return read


def after(seen: Mapping[bytes, Seen], change: Diff) -> dict[bytes, Seen]:
    records = {**seen, **change.updates}
    return {identity: records[identity] for identity in records.keys() - set(change.evicted)}


def history(*versions: Feed) -> dict[bytes, Seen]:
    seen: dict[bytes, Seen] = {}
    for number, version in enumerate(versions, start=1):
        seen = after(seen, diff(version, seen, number=number))
    return seen


def record(document: Feed, index: int) -> Seen:
    entry = document.entries[index]
    return Seen(fingerprint=entry.fingerprint, left_at=0, source=document.sources[entry.identity])


STEPS = [
    pytest.param(["a", "b"], ["a", "b"], [], id="the same"),
    pytest.param(["a", "b"], ["b", "a"], [], id="another order"),
    pytest.param(["a", "b"], ["a"], [], id="one left"),
    pytest.param(["a"], ["c", "b", "a"], [0, 1], id="new ones"),
    pytest.param(["a=1", "b"], ["a=2", "b"], [0], id="a changed one"),
    pytest.param([], ["a", "a"], [0], id="one that is there twice"),
]


@pytest.mark.parametrize(("before", "now", "news"), STEPS)
def test_news_is_what_is_new_or_changed(before: list[str], now: list[str], news: list[int]) -> None:
    document = feed(*now)
    change = diff(document, history(feed(*before)), number=2)
    assert change.news == tuple(document.entries[index] for index in news)


def test_an_entry_that_left_and_comes_back_is_no_news() -> None:
    seen = history(feed("a", "b"), feed("b"), feed("b"))
    assert diff(feed("a", "b"), seen, number=4).news == ()


def test_the_record_of_an_entry_that_comes_back_says_that_it_is_there() -> None:
    document = feed("a", "b")
    seen = history(document, feed("b"))
    assert diff(document, seen, number=3).updates == {
        document.entries[0].identity: record(document, 0)
    }


def test_an_entry_that_comes_back_changed_is_news() -> None:
    document = feed("a=2", "b")
    seen = history(feed("a=1", "b"), feed("b"))
    assert diff(document, seen, number=3).news == document.entries[:1]


def test_an_edit_that_is_taken_back_is_news_again() -> None:
    document = feed("a=1")
    assert diff(document, history(document, feed("a=2")), number=3).news == document.entries


def test_only_records_that_differ_are_written() -> None:
    first = feed("a=1", "b", "c")
    seen = history(first)
    a, b, c = first.entries
    second = feed("a=2", "b", "d")
    change = diff(second, seen, number=7)
    assert change.updates == {
        a.identity: record(second, 0),
        c.identity: seen[c.identity]._replace(left_at=7),
        second.entries[2].identity: record(second, 2),
    }
    assert b.identity not in change.updates
    assert diff(second, after(seen, change), number=8).updates == {}


def test_an_entry_keeps_the_number_at_which_it_first_left() -> None:
    document = feed("a", "b")
    seen = history(document, feed("b"), feed("b"))
    assert seen[document.entries[0].identity].left_at == 2


def test_those_that_left_first_are_evicted_first_beyond_200_records() -> None:
    versions = [feed(f"e{number}") for number in range(200)]
    seen = history(*versions)
    assert len(seen) == 200
    change = diff(feed("e200"), seen, number=201)
    assert change.evicted == (versions[0].entries[0].identity,)
    assert len(after(seen, change)) == 200


def test_a_long_document_keeps_twice_its_length() -> None:
    old = feed(*(f"old{number}" for number in range(150)))
    middle = feed(*(f"middle{number}" for number in range(150)))
    new = feed(*(f"new{number}" for number in range(150)))
    seen = history(old, middle, new)
    assert len(seen) == 300
    assert {entry.identity for entry in old.entries}.isdisjoint(seen)


def test_what_is_in_the_document_is_never_evicted() -> None:
    document = feed(*(f"e{number}" for number in range(300)))
    assert len(history(feed("a"), document)) == 301


def test_what_left_just_now_and_is_evicted_is_not_written() -> None:
    seen = history(
        feed(*(f"a{number}" for number in range(150))),
        feed(*(f"b{number}" for number in range(150))),
    )
    change = diff(feed("c"), seen, number=3)
    assert len(change.evicted) == 1
    assert change.updates.keys().isdisjoint(change.evicted)


def test_a_long_feed_that_shrinks_brings_no_news_when_it_is_well_again() -> None:
    whole = feed(*(f"e{number}" for number in range(1000)))
    shrunk = [feed("e0", f"new{number}") for number in range(LATE_DOCUMENTS - 1)]
    seen = history(whole, *shrunk)
    assert diff(whole, seen, number=len(shrunk) + 2).news == ()


def test_a_feed_that_stays_short_is_forgotten_in_its_former_length() -> None:
    whole = feed(*(f"e{number}" for number in range(1000)))
    seen = history(whole, *(feed("e0", f"new{number}") for number in range(LATE_DOCUMENTS + 1)))
    assert len(seen) == 200


def names(letter: str, count: int) -> list[str]:
    return [f"{letter}{number}" for number in range(count)]


FLOODS = [
    pytest.param(names("a", 30), names("b", 30), 30, id="all ids are new"),
    pytest.param(names("a", 30), [*names("b", 28), *names("a", 2)], 28, id="nearly all are"),
    pytest.param(names("a", 30), [*names("b", 26), *names("a", 4)], 0, id="some are known"),
    pytest.param(names("a", 20), names("b", 20), 0, id="a short feed"),
    pytest.param(names("a", 9), names("b", 100), 0, id="a feed that had hardly any"),
    pytest.param([], names("b", 100), 0, id="a first document"),
    pytest.param(names("a", 30), [f"{name}=2" for name in names("a", 30)], 0, id="all changed"),
]


@pytest.mark.parametrize(("before", "now", "flood"), FLOODS)
def test_a_flood_is_more_new_entries_at_once_than_a_feed_brings(
    before: list[str], now: list[str], flood: int
) -> None:
    fourth = FLOOD_DOCUMENTS_MIN + 1
    assert diff(feed(*now), history(feed(*before)), number=fourth).flood == flood


def test_what_a_feed_may_bring_at_once_is_not_known_from_its_first_documents() -> None:
    seen = history(feed(*names("a", 30)))
    floods = [diff(feed(*names("b", 30)), seen, number=number).flood for number in range(2, 6)]
    assert floods == [0, 0, 30, 30]


@pytest.mark.parametrize(("left", "flood"), [(14, 30), (15, 0), (30, 0)])
def test_a_feed_of_which_as_many_have_left_at_once_before_is_a_fast_one(
    left: int, flood: int
) -> None:
    first = names("a", 30)
    seen = history(feed(*first), feed(*first[left:]))
    assert diff(feed(*names("b", 30)), seen, number=9).flood == flood


def test_a_fast_feed_of_which_each_document_is_new_loses_none() -> None:
    seen: Mapping[bytes, Seen] = {}
    delivered = 0
    for number in range(1, 41):
        change = diff(feed(*names(f"{number}-", 30)), seen, number=number)
        assert change.flood == 0
        delivered += len(change.news)
        seen = after(seen, change)
    assert delivered == 40 * 30


def test_records_of_other_rules_make_no_entry_changed() -> None:
    before, now = feed("a=1", "b", "c"), feed("a=2", "b", "d")
    seen = history(before)
    a, b, _ = before.entries
    seen[a.identity] = seen[a.identity]._replace(rules=RULES - 1, fingerprint=bytes(16))
    change = diff(now, seen, number=2)
    assert change.news == now.entries[2:]
    assert change.updates[a.identity] == record(now, 0)
    assert b.identity not in change.updates


def test_where_all_records_are_of_other_rules_the_document_is_adopted() -> None:
    seen = {bytes(16): Seen(fingerprint=bytes(16), left_at=0, rules=RULES - 1)}
    now = feed("a", "b")
    change = diff(now, seen, number=2)
    assert change.news == ()
    assert diff(feed("a", "b", "c"), after(seen, change), number=3).news != ()


def test_records_are_of_use_only_under_the_rules_that_made_them() -> None:
    document = feed("a")
    (identity,) = seen = history(document)
    known = Known(identity=identity, fingerprint=document.entries[0].fingerprint)
    assert recognisable(seen) == {document.sources[identity]: known}
    assert recognisable({identity: seen[identity]._replace(rules=RULES - 1)}) == {}
    assert recognisable({identity: seen[identity]._replace(source=b"")}) == {}


def test_entries_rewritten_without_news_are_brought_up_to_date_200_at_a_time() -> None:
    def built(day: int) -> Feed:
        items = "".join(
            f"<item><guid>{number}</guid><pubDate>{day}</pubDate></item>" for number in range(300)
        )
        read = read_document(f"<rss><channel>{items}</channel></rss>".encode(), "")
        assert isinstance(read, Feed)
        return read

    seen = history(built(1))
    first = diff(built(2), seen, number=2)
    second = diff(built(2), after(seen, first), number=3)
    assert (first.news, len(first.updates), len(second.updates)) == ((), 200, 100)
