"""What is news, and what is remembered, over the versions of one feed."""

from collections.abc import Mapping

import pytest

from hub.feeds.diff import Diff, Seen, diff
from hub.feeds.document import Feed, read_document


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
        a.identity: Seen(fingerprint=second.entries[0].fingerprint, left_at=0),
        c.identity: Seen(fingerprint=c.fingerprint, left_at=7),
        second.entries[2].identity: Seen(fingerprint=second.entries[2].fingerprint, left_at=0),
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
    seen = history(feed(*(f"e{number}" for number in range(300))))
    change = diff(feed("a"), seen, number=2)
    assert len(change.evicted) == 101
    assert change.updates.keys().isdisjoint(change.evicted)
