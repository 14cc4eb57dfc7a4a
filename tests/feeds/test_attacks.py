"""Documents made to be lost, to spoil others or to cost much: what becomes of each."""

import json
import tracemalloc
from collections.abc import Mapping

import pytest
from lxml import etree

from hub.feeds.diff import Seen, diff
from hub.feeds.document import read_document
from hub.feeds.fat_ping import FatPing, cut, merge, pack, unpack
from hub.feeds.records import Feed, Opaque

ITEM = b"<item><guid>1</guid></item>"
ENTITY = b'<!DOCTYPE rss [<!ENTITY i "%b">]>'
PREFIXES = b"".join(b' xmlns:p%d="u%d"' % (number, number) for number in range(120))


def rss(content: bytes, *, root: bytes = b"<rss>", before: bytes = b"") -> bytes:
    return before + root + b"<channel><title>t</title>" + content + b"</channel></rss>"


def read(body: bytes) -> Feed:
    feed = read_document(body, "")
    assert isinstance(feed, Feed), feed
    return feed


def written(feed: Feed) -> list[bytes]:
    return [feed.body[entry.start : entry.end] for entry in feed.entries]


BOMBS = [
    pytest.param(
        rss(
            b"<item>" + b"".join(b"<x:a%d/>" % n for n in range(8000)) + b"</item>",
            root=b'<rss xmlns:x="' + b"u" * 50_000 + b'">',
        ),
        id="a long namespace in many words",
    ),
    pytest.param(
        rss(
            b"<item>"
            + b"".join(b'<b xmlns:c="%d">' % n for n in range(15_000))
            + b"</b>" * 15_000
            + b"</item>",
            root=b"<rss%b>" % PREFIXES,
        ),
        id="declarations inside declarations under many prefixes",
    ),
    pytest.param(
        rss(b"<item><guid>1</guid>" + b"<a></a>" * 400_000 + b"</item>"), id="one long entry"
    ),
    pytest.param(
        rss(b"<item><a " + b" ".join(b"a%d=''" % n for n in range(200_000)) + b"/></item>"),
        id="one long tag in an entry",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("body", BOMBS)
def test_no_small_document_takes_much_memory(body: bytes) -> None:
    tracemalloc.start()
    read_document(body, "")
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 15 * len(body) + 5_000_000


def test_a_long_tag_around_the_entries_is_refused() -> None:
    body = rss(ITEM, root=b"<rss " + b" ".join(b"a%d=''" % n for n in range(20_000)) + b">")
    assert read_document(body, "") == Opaque(reason="a tag of more than 65536 bytes")


def test_entries_in_a_namespace_with_a_long_name_are_as_good_as_others() -> None:
    def version(title: bytes, prefix: bytes) -> bytes:
        uri = b"u" * 100
        return rss(
            b"<item><guid>1</guid><%b:a>%b</%b:a></item>" % (prefix, title, prefix),
            root=b'<rss xmlns:%b="%b">' % (prefix, uri),
        )

    first, renamed, changed = (
        read(version(*one)) for one in ((b"a", b"x"), (b"a", b"y"), (b"b", b"x"))
    )
    assert first.entries[0].fingerprint == renamed.entries[0].fingerprint
    assert first.entries[0].fingerprint != changed.entries[0].fingerprint


@pytest.mark.parametrize(
    "content",
    [b"<![CDATA[" + b"<p>a</p>" * 90_000 + b"]]>", b"a &lt;b&gt; " * 60_000],
    ids=["CDATA", "text"],
)
def test_an_entry_with_a_long_text_is_known_by_its_guid_and_changes_with_the_text(
    content: bytes,
) -> None:
    def version(text: bytes, date: bytes) -> Feed:
        entry = b"<item><d>%b</d><pubDate>%b</pubDate><guid>1</guid></item>" % (text, date)
        return read(rss(entry))

    first, redated = version(content, b"1"), version(content, b"2")
    changed = version(content.replace(b"a", b"b", 1), b"1")
    assert first.entries[0].fingerprint == redated.entries[0].fingerprint
    assert first.entries[0].identity == changed.entries[0].identity
    assert first.entries[0].fingerprint != changed.entries[0].fingerprint


FOREIGN = "an entry in a namespace of its own"
HIDDEN = "entries may stand in an entity"
LOST = [
    pytest.param(rss(b'<item xmlns="urn:x"/>'), FOREIGN, id="an item in a namespace"),
    pytest.param(
        rss(ITEM + b'<item xmlns="http://www.w3.org/2005/Atom"/>'), FOREIGN, id="an item of Atom"
    ),
    pytest.param(
        b'<feed xmlns="http://www.w3.org/2005/Atom"><entry xmlns=""/></feed>',
        FOREIGN,
        id="an entry in no namespace",
    ),
    pytest.param(
        rss(b'<x:item xmlns:x="u"/>'), "entries of another namespace", id="items with a prefix"
    ),
    pytest.param(rss(b"&i;", before=ENTITY % b"<item/>"), HIDDEN, id="an entry in an entity"),
    pytest.param(
        rss(b"&i;", before=ENTITY % b"&#60;item/>"), HIDDEN, id="an entry in an entity, escaped"
    ),
    pytest.param(
        rss(b"&i;", before=b'<!DOCTYPE rss [<!ENTITY i "<item/>"><!ENTITY i "a">]>'),
        HIDDEN,
        id="an entity declared twice",
    ),
    pytest.param(
        rss(b"&i;", before=b'<!DOCTYPE rss [<!ENTITY i SYSTEM "a.xml">]>'),
        HIDDEN,
        id="an entity from elsewhere",
    ),
]


@pytest.mark.parametrize(("body", "reason"), LOST)
def test_a_feed_whose_entries_would_never_be_seen_goes_out_whole(body: bytes, reason: str) -> None:
    assert read_document(body, "") == Opaque(reason=reason)


@pytest.mark.parametrize(
    "body",
    [
        rss(b'<x:item xmlns:x="u"/>' + ITEM),
        rss(b"<copyright>&i;</copyright>" + ITEM, before=ENTITY % b"&#169; we"),
        rss(b"&lt;" + ITEM, before=ENTITY % b"<item/>"),
    ],
    ids=["a foreign element beside entries", "an entity of text", "an entity that nobody uses"],
)
def test_what_hides_no_entry_is_no_reason_to_refuse_a_feed(body: bytes) -> None:
    assert written(read(body)) == [ITEM]


def test_an_entry_without_end_is_a_fault_where_a_dtd_kept_the_feed_from_being_judged() -> None:
    feed = read(rss(b"<item>0<item>1</item><item>2</item>", before=ENTITY % b"a"))
    assert feed.fault == "not well-formed: an entry without end"
    assert written(feed) == [b"<item>0", b"<item>1</item>", b"<item>2</item>"]


@pytest.mark.parametrize(
    "opening",
    [b"&x;<!-- a", b"&x;<![CDATA[ a", b"<?xml:namespace prefix = o /> a", b"<?a"],
    ids=["a comment", "CDATA", "an instruction of Word", "an instruction"],
)
def test_what_has_no_end_in_one_entry_of_a_broken_feed_hides_no_other(opening: bytes) -> None:
    entries = [b"<item>%b</item>" % opening, b"<item>2</item>", b"<item>3</item>"]
    feed = read(rss(b"".join(entries)))
    assert feed.fault is not None
    assert written(feed) == entries


def ping(content: bytes, before: bytes = b"") -> FatPing:
    feed = read(rss(content, before=before))
    return cut(feed, feed.entries)


@pytest.mark.parametrize(
    "broken",
    [
        b"<item><guid>1</guid>",
        b"<item>&nbsp;</item>",
        b"<item>\xe9</item>",
        b"<item><q:a/></item>",
    ],
    ids=["no end tag", "an unknown entity", "a byte of Latin-1", "an undeclared prefix"],
)
def test_an_ill_formed_ping_is_merged_with_none(broken: bytes) -> None:
    good = [ping(b"<item><guid>%d</guid></item>" % number) for number in range(3)]
    spoilt = ping(broken)
    for pings in ([spoilt, *good], [good[0], spoilt, *good[1:]], [spoilt, spoilt]):
        first, count = merge(pings)
        assert (first, count) == (pings[0], 1)
    merged, count = merge(good)
    assert (count, len(etree.fromstring(merged.document)[0])) == (3, 4)


def test_pings_of_a_document_that_was_not_judged_are_merged_with_none() -> None:
    first, second = (ping(b"<item>%d&i;</item>" % number, ENTITY % b"a") for number in (1, 2))
    assert merge([first, second]) == (first, 1)


def json_feed(*items: object, version: str = "https://jsonfeed.org/version/1.1") -> bytes:
    return json.dumps({"version": version, "items": items}).encode()


def test_a_json_feed_of_any_depth_is_read_or_refused() -> None:
    for depth in range(900, 1000):
        body = json_feed({"id": 1}).replace(b"1}", b"[" * depth + b"]" * depth + b"}")
        assert isinstance(read_document(body, ""), Feed | Opaque)


def test_a_ping_of_a_feed_with_half_a_surrogate_survives_packing() -> None:
    feed = read(json_feed({"id": "\ud800"}, version="https://jsonfeed.org/version/1\ud800"))
    event = cut(feed, feed.entries)
    assert unpack(pack(event)) == event


def news(before: bytes, now: bytes) -> int:
    seen: Mapping[bytes, Seen] = diff(read(before), {}, number=1).updates
    return len(diff(read(now), seen, number=2).news)


SAME = [
    pytest.param(
        json_feed({"id": "http://x/1"}), json_feed({"id": "http://x/1?utm_source=a"}), id="JSON id"
    ),
    pytest.param(
        json_feed({"url": "https://x/1"}), json_feed({"url": "http://x/1?fbclid=a"}), id="JSON url"
    ),
    pytest.param(
        json_feed({"id": "1", "content_html": "a\n\nb"}),
        json_feed({"id": "1", "content_html": "a b"}),
        id="white space in JSON",
    ),
    pytest.param(
        rss(b'<item>&lt;a href="?utm_source=a&amp;amp;utm_medium=b"&gt;</item>'),
        rss(b'<item>&lt;a href="?utm_source=c&amp;amp;utm_medium=d"&gt;</item>'),
        id="tracking in escaped HTML",
    ),
    pytest.param(
        rss(b'<item><![CDATA[<a href="?p=1&amp;utm_medium=b">]]></item>'),
        rss(b'<item><![CDATA[<a href="?p=1&amp;utm_medium=d">]]></item>'),
        id="tracking in CDATA",
    ),
    pytest.param(
        rss(b'<item><![CDATA[<a href="?p=1&amp;utm_medium=b">]]></item>'),
        rss(b'<item><![CDATA[<a href="?p=1">]]></item>'),
        id="tracking that is taken out",
    ),
]


@pytest.mark.parametrize(("before", "now"), SAME)
def test_tracking_and_white_space_are_no_news_wherever_they_stand(
    before: bytes, now: bytes
) -> None:
    assert news(before, now) == 0


def test_a_backslash_before_a_letter_is_no_white_space() -> None:
    items = (json_feed({"id": "1", "title": title}) for title in ("a\\nb", "a b"))
    assert news(*items) == 1
