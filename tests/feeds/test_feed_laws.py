"""What holds for every feed: laws over generated documents of all formats and several encodings."""

import codecs
from dataclasses import dataclass
from functools import reduce
from xml.sax.saxutils import escape, quoteattr

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from hub.feeds.diff import diff
from hub.feeds.document import Feed, Opaque, read_document
from hub.feeds.fat_ping import FatPing, cut, merge, pack, unpack

MARKS = {
    "utf-16le": codecs.BOM_UTF16_LE,
    "utf-16be": codecs.BOM_UTF16_BE,
    "utf-32le": codecs.BOM_UTF32_LE,
}
ENCODINGS = (
    "utf-8",
    "iso-8859-1",
    "windows-1251",
    "shift_jis",
    "gb18030",
    "big5",
    "euc-kr",
    *MARKS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A format's way of writing: what stands before and after the entries, and an entry."""

    head: str
    tail: str
    entry: str


SHAPES = (
    Shape(
        head='<feed xmlns="http://www.w3.org/2005/Atom" xmlns:x="urn:x">',
        tail="</feed>",
        entry="<entry{attribute}><id>{id}</id>{content}</entry>",
    ),
    Shape(
        head='<a:feed xmlns:a="http://www.w3.org/2005/Atom" xmlns:x="urn:y">',
        tail="</a:feed>",
        entry="<a:entry{attribute}><a:id>{id}</a:id>{content}</a:entry>",
    ),
    Shape(
        head='<rss version="2.0" xmlns:x="urn:x"><channel>',
        tail="</channel></rss>",
        entry="<item{attribute}><guid>{id}</guid>{content}</item>",
    ),
    Shape(
        head='<!DOCTYPE rss SYSTEM "rss.dtd"><rss xmlns:x="urn:x" xml:lang="de"><channel>',
        tail="</channel></rss>",
        entry="<item{attribute}><guid>{id}</guid>{content}</item >",
    ),
    Shape(
        head='<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="urn:x" '
        'xmlns="http://purl.org/rss/1.0/"><channel r:about="c"/>',
        tail="</r:RDF>",
        entry='<item r:about="{id}"{attribute}>{content}</item>',
    ),
    Shape(
        head='<RSS xmlns:x="urn:x"><CHANNEL><TITLE>t</TITLE>',
        tail="</CHANNEL></RSS>",
        entry="<ITEM{attribute}><GUID>{id}</GUID>{content}</ITEM>",
    ),
    Shape(
        head='<rss version="2.0" xmlns:x="urn:x"><channel><title>t</title></channel>',
        tail="</rss>",
        entry="<item{attribute}><guid>{id}</guid>{content}</item>",
    ),
)

characters = st.characters(
    codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"
)
texts = st.text(characters | st.sampled_from(" \t\n<&ж\xe9\u0a20\u203e"), max_size=12)
contents = st.one_of(
    texts.map(escape),
    texts.map(lambda text: f"<x:b{' '}c={quoteattr(text)}>{escape(text)}</x:b>"),
    st.sampled_from(
        [
            "<![CDATA[</item>]]>",
            "<!-- </entry> --><?p <item>?>",
            "<title>t</title>",
            "<z:q xmlns:z='urn:z'><item/></z:q>",
        ]
    ),
)
gaps = st.sampled_from(["", "\n", "\r\n\t ", " <!-- <item> --> ", "\n<?p ?>", "\n\n<title/>"])


@st.composite
def bodies(draw: st.DrawFn, shape: Shape | None = None, encoding: str | None = None) -> bytes:
    """A well-formed feed, its entries known by distinct ids out of a few."""
    shape = shape or draw(st.sampled_from(SHAPES))
    encoding = encoding or draw(st.sampled_from(ENCODINGS))
    ids = draw(st.lists(st.integers(0, 9), unique=True, max_size=5))
    text = f'<?xml version="1.0" encoding="{encoding.removesuffix("le").removesuffix("be")}"?>'
    text += draw(gaps.filter(lambda gap: "title" not in gap)) + shape.head
    for number in ids:
        attribute = draw(st.sampled_from(["", " x:k='1'", '\n xml:lang = "fr"']))
        content = "".join(draw(st.lists(contents, max_size=3)))
        text += draw(gaps) + shape.entry.format(id=number, attribute=attribute, content=content)
    text += draw(gaps) + shape.tail + draw(st.sampled_from(["", "\n", "<!-- end -->"]))
    return MARKS.get(encoding, b"") + text.encode(encoding, "xmlcharrefreplace")


@st.composite
def histories(draw: st.DrawFn) -> list[FatPing]:
    """Versions of one feed, each cut to some of its entries."""
    shape, encoding = draw(st.sampled_from(SHAPES)), draw(st.sampled_from(ENCODINGS))
    feeds = [read(body) for body in draw(st.lists(bodies(shape, encoding), min_size=1, max_size=4))]
    return [cut(feed, [e for e in feed.entries if draw(st.booleans())]) for feed in feeds]


def read(body: bytes) -> Feed:
    feed = read_document(body, "")
    assert isinstance(feed, Feed)
    return feed


def is_entry(element: etree._Element) -> bool:
    name = etree.QName(element) if isinstance(element.tag, str) else None
    parent = element.getparent()
    places = {"feed", "channel", "rdf", "rss"}
    return (
        name is not None
        and name.localname.lower() in {"entry", "item"}
        and parent is not None
        and etree.QName(parent).localname.lower() in places
    )


def canonical_entries(document: bytes) -> list[bytes]:
    """The entries as an independent parser sees them, by canonical XML."""
    root = etree.fromstring(document)
    return [etree.tostring(element, method="c14n") for element in root.iter() if is_entry(element)]


def canonical_envelope(document: bytes) -> bytes:
    """All but the entries as an independent parser sees it, white space aside."""
    root = etree.fromstring(document)
    for element in [element for element in root.iter() if is_entry(element)]:
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)
    return b"".join(etree.tostring(root.getroottree(), method="c14n").split())


@given(bodies(), st.data())
def test_a_cut_feed_has_the_kept_entries_and_the_whole_envelope(
    body: bytes, data: st.DataObject
) -> None:
    feed = read(body)
    kept = [index for index in range(len(feed.entries)) if data.draw(st.booleans())]
    ping = cut(feed, [feed.entries[index] for index in kept])
    source = canonical_entries(body)
    assert len(source) == len(feed.entries)
    assert canonical_entries(ping.document) == [source[index] for index in kept]
    assert canonical_envelope(ping.document) == canonical_envelope(body)
    for entry, index in zip(ping.entries, kept, strict=True):
        original = feed.entries[index]
        assert ping.document[entry.start : entry.end] == body[original.start : original.end]
    assert read(ping.document).entries == ping.entries


@given(bodies())
def test_a_feed_cut_to_all_its_entries_is_itself(body: bytes) -> None:
    feed = read(body)
    assert cut(feed, feed.entries) == FatPing(
        context=feed.context, document=body, entries=feed.entries
    )


@given(bodies())
def test_a_feed_seen_has_no_news(body: bytes) -> None:
    feed = read(body)
    first = diff(feed, {}, number=1)
    assert first.news == feed.entries
    again = diff(feed, first.updates, number=2)
    assert (again.news, dict(again.updates), again.evicted) == ((), {}, ())


@given(bodies(SHAPES[2]), bodies(SHAPES[2]))
def test_what_is_seen_and_the_news_make_up_the_new_version(before: bytes, now: bytes) -> None:
    seen = diff(read(before), {}, number=1).updates
    feed = read(now)
    change = diff(feed, seen, number=2)
    known = {identity: record.fingerprint for identity, record in seen.items()}
    applied = known | {entry.identity: entry.fingerprint for entry in change.news}
    assert {entry.identity: entry.fingerprint for entry in feed.entries}.items() <= applied.items()
    for identity in seen.keys() - {entry.identity for entry in feed.entries}:
        assert change.updates[identity] == seen[identity]._replace(left_at=2)


@given(histories())
def test_a_merged_ping_has_the_newest_version_of_each_entry(pings: list[FatPing]) -> None:
    merged, count = merge(pings)
    newest: dict[bytes, bytes] = {}
    for ping in reversed(pings[:count]):
        canonical = canonical_entries(ping.document)
        for entry, content in zip(ping.entries, canonical, strict=True):
            newest.setdefault(entry.identity, content)
    assert canonical_entries(merged.document) == list(newest.values())
    assert canonical_envelope(merged.document) == canonical_envelope(pings[count - 1].document)
    assert read(merged.document).entries == merged.entries
    assert merged.context == pings[0].context


@given(histories())
def test_it_makes_no_difference_in_how_many_steps_pings_are_merged(pings: list[FatPing]) -> None:
    run = pings[: merge(pings)[1]]
    at_once = merge(run)[0]
    assert reduce(lambda older, newer: merge([older, newer])[0], run) == at_once
    assert reduce(lambda newer, older: merge([older, newer])[0], reversed(run)) == at_once


@given(histories())
def test_unpacking_gives_what_was_packed(pings: list[FatPing]) -> None:
    assert [unpack(pack(ping)) for ping in pings] == pings


@given(st.binary(max_size=200))
def test_unpacking_anything_else_raises_value_error(data: bytes) -> None:
    try:
        unpack(data)
    except ValueError:
        return
    raise AssertionError("unpacked what was never packed")


@given(st.binary(), st.text())
def test_reading_arbitrary_bytes_never_raises(body: bytes, content_type: str) -> None:
    assert isinstance(read_document(body, content_type), Feed | Opaque)


@given(bodies(), st.data())
def test_reading_a_damaged_feed_never_raises(body: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(start + 8, len(body))))
    charset = data.draw(st.sampled_from(("", *ENCODINGS, "gb2312", "utf-7", "\x00")))
    damaged = body[:start] + data.draw(st.binary(max_size=8)) + body[end:]
    feed = read_document(damaged, f"text/xml; charset={charset}")
    if isinstance(feed, Feed):
        pieces = [damaged[entry.start : entry.end] for entry in feed.entries]
        ping = cut(feed, feed.entries)
        assert [ping.document[entry.start : entry.end] for entry in ping.entries] == pieces
        assert feed.closing or ping.document == damaged


@given(bodies(), bodies())
def test_what_is_remembered_changes_nothing_of_what_is_read(before: bytes, now: bytes) -> None:
    seen = diff(read(before), {}, number=1).updates
    assert read_document(now, "", seen) == read_document(now, "")
