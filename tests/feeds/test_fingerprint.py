"""What a reader sees of an entry, and what is no news (the tables of hub/feeds/vocabulary.py)."""

import pytest

from hub.feeds.diff import diff
from hub.feeds.document import Feed, read_document

NAMESPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:d="http://purl.org/dc/elements/1.1/" '
    'xmlns:slash="http://purl.org/rss/1.0/modules/slash/" '
    'xmlns:thr="http://purl.org/syndication/thread/1.0" '
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:x="urn:x" '
    'xmlns:g="http://schemas.google.com/g/2005"'
)


def rss(item: str) -> bytes:
    body = f"<rss {NAMESPACES}><channel><item>{item}</item></channel></rss>".encode()
    return fingerprint(body)


def atom(entry: str) -> bytes:
    namespaces = f'xmlns="http://www.w3.org/2005/Atom" {NAMESPACES}'
    return fingerprint(f"<feed {namespaces}><entry>{entry}</entry></feed>".encode())


def fingerprint(body: bytes) -> bytes:
    feed = read_document(body, "")
    assert isinstance(feed, Feed)
    (entry,) = feed.entries
    return entry.fingerprint


NO_NEWS = [
    pytest.param("<title>a b</title>", "\n <title>\n a\t b </title> ", id="white space"),
    pytest.param("<title>a &amp; b</title>", "<title><![CDATA[a & b]]></title>", id="CDATA"),
    pytest.param("<title>\xe9</title>", "<title>&#233;</title>", id="character reference"),
    pytest.param("<title>ab</title>", "<title>a<!-- c -->b<?p?></title>", id="comment and PI"),
    pytest.param('<a x="1" y="2"/>', "<a  y='2' x='1'></a>", id="how attributes are written"),
    pytest.param("<dc:creator>a</dc:creator>", "<d:creator>a</d:creator>", id="prefix"),
    pytest.param(
        "<x:a>1</x:a>", '<a xmlns="urn:x">1</a>', id="namespace declared on the element itself"
    ),
    pytest.param("<pubDate>1</pubDate>", "<pubDate>2</pubDate>", id="pubDate"),
    pytest.param("", "<dc:date>2</dc:date>", id="dc:date appears"),
    pytest.param(
        "<a/>", '<dc:date xmlns:dc="http://purl.org/dc/elements/1.1/">2</dc:date><a/>', id="scoped"
    ),
    pytest.param("<slash:comments>1</slash:comments>", "", id="slash:comments"),
    pytest.param('<a thr:count="1"/>', '<a thr:count="2" thr:updated="z"/>', id="thr:count"),
    pytest.param('<a g:etag="1"/>', '<a g:etag="2"/>', id="gd:etag"),
    pytest.param("<thr:total>1</thr:total>", "<thr:total>2</thr:total>", id="thr:total"),
    pytest.param(
        '<media:community><media:statistics views="1"/></media:community>',
        '<media:community><media:statistics views="2"/></media:community>',
        id="views of a video",
    ),
    pytest.param(
        '<a href="http://x/a"/>http://x/', "<a href='https://x/a'/>https://x/", id="http or https"
    ),
    pytest.param(
        "<link>http://x/a?b=1</link>",
        "<link>http://x/a?b=1&amp;utm_source=rss&amp;utm_medium=feed</link>",
        id="tracking parameters behind others",
    ),
    pytest.param(
        "<link>http://x/a#b</link>",
        "<link>http://x/a?utm_source=rss&amp;fbclid=1#b</link>",
        id="tracking parameters alone",
    ),
    pytest.param("<a>&lt;p>\xa0</a>", "<a><![CDATA[<p>]]>&nbsp;</a>", id="entities of HTML"),
    pytest.param("<a>&amp;amp;</a>", "<a>&#38;amp;</a>", id="an escaped reference"),
    pytest.param("<a>&amp;lt;</a>", "<a><![CDATA[&lt;]]></a>", id="a reference in CDATA is text"),
    pytest.param("<a b='x &gt; y'/>", '<a b="x > y"></a>', id="a reference in an attribute"),
]


@pytest.mark.parametrize(("before", "after"), NO_NEWS)
def test_no_news(before: str, after: str) -> None:
    assert rss(before) == rss(after)


NEWS = [
    pytest.param("<title>a b</title>", "<title>ab</title>", id="a space inside a text"),
    pytest.param("<title>a</title>", "<title>a</title><title/>", id="an empty element"),
    pytest.param("<b>1</b>2", "<b>12</b>", id="text moves into an element"),
    pytest.param("<a/><b/>", "<a><b/></a>", id="nesting"),
    pytest.param("<a/><b/>", "<b/><a/>", id="order of elements"),
    pytest.param('<a b="1"/>', '<a b="2"/>', id="an attribute"),
    pytest.param('<a b="1">2</a>', '<a b="1 2"></a>', id="text moves into an attribute"),
    pytest.param('<a b="1"> 2</a>', '<a b="1 2"> </a>', id="a word moves into an attribute"),
    pytest.param('<a b="1" c="2"/>', '<a b="1 c 2"/>', id="an attribute moves into another"),
    pytest.param('<a x:b="1"/>', '<a b="1"/>', id="namespace of an attribute"),
    pytest.param("<x:title>a</x:title>", "<title>a</title>", id="namespace of an element"),
    pytest.param("<q:a/>", "<r:a/>", id="undeclared prefixes"),
    pytest.param("<x:pubDate>1</x:pubDate>", "<x:pubDate>2</x:pubDate>", id="somebody's pubDate"),
    pytest.param("<guid>1</guid>", "<guid>2</guid>", id="guid"),
    pytest.param("<a>&amp;lt;</a>", "<a>&lt;</a>", id="how often a character is escaped"),
    pytest.param("<a>x?b=1</a>", "<a>x?b=2</a>", id="other parameters"),
    pytest.param("<a>utm_source=1</a>", "<a>utm_source=2</a>", id="tracking without an address"),
    pytest.param(
        "<a><b><pubDate>1</pubDate></b>c</a>", "<a><b><pubDate/></b>d</a>", id="text behind a date"
    ),
    pytest.param(
        '<x xmlns:dc="urn:y"><dc:date>1</dc:date></x>',
        '<x xmlns:dc="urn:y"><dc:date>2</dc:date></x>',
        id="dc means something else here",
    ),
    pytest.param(
        '<x xmlns:dc="urn:y"/><dc:date>1</dc:date>a',
        '<x xmlns:dc="urn:y"/><dc:date>1</dc:date>b',
        id="text after a scope",
    ),
]


@pytest.mark.parametrize(("before", "after"), NEWS)
def test_news(before: str, after: str) -> None:
    assert rss(before) != rss(after)


def test_a_scope_ends_with_its_element() -> None:
    scoped = '<x xmlns:dc="urn:y"><dc:date>1</dc:date></x>'
    assert rss(f"{scoped}<dc:date>1</dc:date>") == rss(f"{scoped}<dc:date>2</dc:date>")


@pytest.mark.parametrize("name", ["updated", "published"])
def test_a_restamped_date_of_an_atom_entry_is_no_news(name: str) -> None:
    assert atom(f"<id>1</id><{name}>1</{name}>") == atom(f"<id>1</id><{name}>2</{name}>")


def test_xhtml_content_is_seen_whatever_its_elements_are_called() -> None:
    content = '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">{}</div></content>'
    assert atom(content.format("<updated>1</updated>")) != atom(
        content.format("<updated>2</updated>")
    )


def test_an_entity_of_an_external_dtd_is_part_of_the_text() -> None:
    body = '<!DOCTYPE rss SYSTEM "u"><rss><channel><item>{}</item></channel></rss>'
    assert fingerprint(body.format("&auml;").encode()) != fingerprint(
        body.format("&ouml;").encode()
    )


def test_encoding_is_not_seen() -> None:
    body = "<rss><channel><item>\xe9</item></channel></rss>"
    assert fingerprint(body.encode()) == fingerprint(body.encode("utf-16"))


def test_the_parts_of_a_broken_entry_are_not_set_apart_by_its_own_characters() -> None:
    assert rss("&nope;<a>b\x04</a>") == rss("&nope;<a>b?</a>")
    assert rss("&nope;<a>b&#4;</a>") == rss("&nope;<a>b</a>")


def test_an_entry_whose_bytes_are_remembered_is_not_read_again() -> None:
    body = b"<rss><channel><item><guid>1</guid></item></channel></rss>"
    feed = read_document(body, "")
    assert isinstance(feed, Feed)
    ((identity, seen),) = diff(feed, {}, number=1).updates.items()
    again = read_document(body, "", {identity: seen._replace(fingerprint=bytes(16))})
    assert isinstance(again, Feed)
    assert (again.entries[0].identity, again.entries[0].fingerprint) == (identity, bytes(16))
