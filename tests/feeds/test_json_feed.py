"""JSON Feeds, versions 1.0 and 1.1: items as entries, cut and merged like those of XML."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.feeds.diff import diff
from hub.feeds.document import Feed, Format, Opaque, read_document
from hub.feeds.fat_ping import cut, merge, pack, unpack

VERSION = "https://jsonfeed.org/version/1.1"
BODY = """\ufeff{
  "version": "https:\\/\\/jsonfeed.org\\/version\\/1",
  "title": "\xe9 \\"items\\": [",
  "items": [
    {"id": "a", "content_text": "\xe9]},"} ,
    {"id": "b", "tags": [{"id": "x"}]},

    {"id": "c"}
  ],
  "home_page_url": "http://x/"
}
"""


def read(body: str | bytes) -> Feed:
    feed = read_document(body.encode() if isinstance(body, str) else body, "application/json")
    assert isinstance(feed, Feed)
    return feed


def feed_of(*items: object) -> Feed:
    return read(json.dumps({"version": VERSION, "items": items}))


def items_of(document: bytes) -> list[str]:
    return [item["id"] for item in json.loads(document)["items"]]


def test_items_are_found_by_their_bytes() -> None:
    feed = read(BODY)
    pieces = [feed.body[entry.start : entry.end].decode() for entry in feed.entries]
    assert pieces == [
        '{"id": "a", "content_text": "\xe9]},"}',
        '{"id": "b", "tags": [{"id": "x"}]}',
        '{"id": "c"}',
    ]
    assert (feed.format, feed.context.encoding, feed.fault) == (Format.JSON_FEED, "utf-8", None)


@pytest.mark.parametrize(
    "kept", [[], [0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]], ids=lambda kept: f"{kept}"
)
def test_a_cut_feed_is_json_with_the_kept_items_as_published(kept: list[int]) -> None:
    feed = read(BODY)
    ping = cut(feed, [feed.entries[index] for index in kept])
    whole, shorter = json.loads(BODY[1:]), json.loads(ping.document.decode("utf-8-sig"))
    assert shorter == {**whole, "items": [whole["items"][index] for index in kept]}
    assert read(ping.document).entries == ping.entries
    assert unpack(pack(ping)) == ping


def test_a_feed_cut_to_all_its_items_is_itself() -> None:
    feed = read(BODY)
    assert cut(feed, feed.entries).document == feed.body


def test_pings_are_merged_into_one_feed_with_the_newest_of_each() -> None:
    older = feed_of({"id": "a"}, {"id": "b", "title": "old"})
    newer = feed_of({"id": "c"}, {"id": "b", "title": "new"})
    merged, count = merge([cut(older, older.entries), cut(newer, newer.entries)])
    items = json.loads(merged.document)["items"]
    assert count == 2
    assert items == [{"id": "c"}, {"id": "b", "title": "new"}, {"id": "a"}]
    assert read(merged.document).entries == merged.entries


NEWS = [
    pytest.param({"id": "1", "title": "a"}, {"id": "1", "title": "b"}, True, id="a title"),
    pytest.param({"id": "1", "a": [1, 2]}, {"a": [1, 2], "id": "1"}, False, id="order of names"),
    pytest.param({"id": "1"}, {"id": "1", "date_modified": "2"}, False, id="a date"),
    pytest.param({"id": "1"}, {"id": 1}, True, id="the type of an id"),
    pytest.param(
        {"id": "http://x/", "url": "https://x/a?utm_source=b"},
        {"id": "https://x/", "url": "https://x/a"},
        False,
        id="the scheme and tracking parameters of addresses",
    ),
]


@pytest.mark.parametrize(("before", "now", "is_news"), NEWS)
def test_what_is_news(before: object, now: object, *, is_news: bool) -> None:
    seen = diff(feed_of(before), {}, number=1).updates
    document = feed_of(now)
    assert diff(document, seen, number=2).news == (document.entries if is_news else ())


SAME = [
    pytest.param({"id": "1", "url": "a"}, {"id": "1", "url": "b"}, id="its id"),
    pytest.param({"id": 7}, {"id": 7, "title": "a"}, id="an id that is a number"),
    pytest.param({"url": "a"}, {"url": "a", "title": "b"}, id="without id its url"),
    pytest.param({"external_url": "a"}, {"external_url": "a", "title": "b"}, id="or another url"),
    pytest.param({"title": "a"}, {"title": "a"}, id="what it says"),
]


@pytest.mark.parametrize(("before", "now"), SAME)
def test_an_item_is_known_by(before: object, now: object) -> None:
    assert feed_of(before).entries[0].identity == feed_of(now).entries[0].identity


OPAQUE = [
    pytest.param(b'{"a": 1}', "JSON, but no JSON Feed", id="other JSON"),
    pytest.param(b"{}", "JSON, but no JSON Feed", id="nothing"),
    pytest.param(b'{"version": "1", "items": []}', "JSON, but no JSON Feed", id="other items"),
    pytest.param(
        b'{"version": "https://jsonfeed.org/version/1"}',
        "a JSON Feed without a list of items",
        id="no items",
    ),
    pytest.param(
        b'{"version": "https://jsonfeed.org/version/1", "items": [1]}',
        "a JSON Feed without a list of items",
        id="items that are none",
    ),
    pytest.param(b"{", 'not JSON: " expected at character 1', id="truncated"),
    pytest.param(b"{} {}", "not JSON: text behind its end", id="two documents"),
    pytest.param(b"{{}: 1}", 'not JSON: " expected at character 1', id="an object for a name"),
    pytest.param(b'{"a" 1}', "not JSON: : expected at character 5", id="no colon"),
    pytest.param(b'{"a": ' + b"[" * 100_000, "JSON nested too deeply", id="deep nesting"),
]


@pytest.mark.parametrize(("body", "reason"), OPAQUE)
def test_what_is_no_json_feed_says_why(body: bytes, reason: str) -> None:
    assert read_document(body, "") == Opaque(reason=reason)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    items=st.lists(st.dictionaries(st.text(max_size=3), values, max_size=3), max_size=5),
    indent=st.sampled_from([None, 0, 2]),
    is_ascii=st.booleans(),
    data=st.data(),
)
def test_any_json_feed_is_cut_to_the_items_that_are_kept(
    items: list[dict[str, object]], indent: int | None, data: st.DataObject, *, is_ascii: bool
) -> None:
    whole = {"version": VERSION, "items": items, "title": "t"}
    body = json.dumps(whole, indent=indent, ensure_ascii=is_ascii).encode("utf-8", "replace")
    feed = read(body)
    kept = [index for index in range(len(items)) if data.draw(st.booleans())]
    ping = cut(feed, [feed.entries[index] for index in kept])
    published = json.loads(body)["items"]
    assert json.loads(ping.document)["items"] == [published[index] for index in kept]


@given(st.text(alphabet='{}[]",:1 \\items\n', max_size=60))
def test_reading_what_is_nearly_json_never_raises(text: str) -> None:
    body = f'{{"version":"{VERSION}","items":{text}'.encode()
    assert isinstance(read_document(body, ""), Feed | Opaque)
