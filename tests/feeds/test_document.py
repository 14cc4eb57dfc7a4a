"""What a fetched document is to the hub: a feed that can be cut, or opaque, and why."""

import time
import tracemalloc

import pytest

from hub.feeds.document import Feed, Format, Opaque, Surrounding, read_document
from hub.feeds.fat_ping import cut

RDF_SYNTAX = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

FEEDS = [
    pytest.param(
        b'<feed xmlns="http://www.w3.org/2005/Atom"><id>f</id>'
        b"<entry><id>1</id></entry><entry><id>2</id></entry></feed>",
        Format.ATOM,
        [b"<entry><id>1</id></entry>", b"<entry><id>2</id></entry>"],
        id="Atom",
    ),
    pytest.param(
        b'<a:feed xmlns:a="http://www.w3.org/2005/Atom">'
        b"<a:entry ><a:id>1</a:id></a:entry\n></a:feed>",
        Format.ATOM,
        [b"<a:entry ><a:id>1</a:id></a:entry\n>"],
        id="Atom with a prefix",
    ),
    pytest.param(
        b'<rss version="2.0"><channel><item><guid>1</guid></item><item/></channel></rss>',
        Format.RSS,
        [b"<item><guid>1</guid></item>", b"<item/>"],
        id="RSS 2.0, the last item empty",
    ),
    pytest.param(
        b'<rss version="2.0" xmlns="http://backend.userland.com/rss2">'
        b"<channel><item><guid>1</guid></item></channel></rss>",
        Format.RSS,
        [b"<item><guid>1</guid></item>"],
        id="RSS 2.0 in a namespace",
    ),
    pytest.param(
        b"<!DOCTYPE rss PUBLIC '-//Netscape Communications//DTD RSS 0.91//EN' "
        b"'http://my.netscape.com/publish/formats/rss-0.91.dtd'>"
        b"<rss version='0.91'><channel><item><title>caf&eacute;</title></item></channel></rss>",
        Format.RSS,
        [b"<item><title>caf&eacute;</title></item>"],
        id="RSS 0.91 with an entity of its external DTD",
    ),
    pytest.param(
        f'<r:RDF xmlns:r="{RDF_SYNTAX}" xmlns="http://purl.org/rss/1.0/"><channel><items>'
        '<r:Seq><r:li r:resource="u"/></r:Seq></items></channel>'
        '<item r:about="u"><title>t</title></item></r:RDF>'.encode(),
        Format.RDF,
        [b'<item r:about="u"><title>t</title></item>'],
        id="RSS 1.0, items beside the channel",
    ),
    pytest.param(
        f'<r:RDF xmlns:r="{RDF_SYNTAX}" xmlns="http://my.netscape.com/rdf/simple/0.9/"><channel>'
        "<item><title>t</title></item></channel></r:RDF>".encode(),
        Format.RDF,
        [b"<item><title>t</title></item>"],
        id="RSS 0.90, items inside the channel",
    ),
    pytest.param(
        b'<rss xmlns:m="urn:m"><channel><m:item>no</m:item><n:item>no</n:item>'
        b"<image><item>no</item></image><item><item>nested</item></item></channel></rss>",
        Format.RSS,
        [b"<item><item>nested</item></item>"],
        id="elements called item elsewhere or by others are no entries",
    ),
    pytest.param(
        b"\r\n \xef\xbb\xbf<?xml version='1.0'?><rss><channel><item>1</item></channel></rss>",
        Format.RSS,
        [b"<item>1</item>"],
        id="white space and a BOM before the XML declaration",
    ),
    pytest.param(
        b"<rss><channel><!-- <item> --><item><![CDATA[</item>]]></item>"
        b"<?p <item>?></channel></rss>",
        Format.RSS,
        [b"<item><![CDATA[</item>]]></item>"],
        id="tags in comments, CDATA and processing instructions are none",
    ),
]


FEEDS += [
    pytest.param(
        b'<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry><id>1</id></entry></feed>',
        Format.ATOM,
        [b"<entry><id>1</id></entry>"],
        id="Atom 0.3",
    ),
    pytest.param(
        b'<feed xmlns="http://purl.org/atom/ns#draft-ietf-atompub-format-05"><entry/></feed>',
        Format.ATOM,
        [b"<entry/>"],
        id="a draft of Atom",
    ),
    pytest.param(
        b'<feed xmlns="https://www.w3.org/2005/atom"><entry><id>1</id></entry></feed>',
        Format.ATOM,
        [b"<entry><id>1</id></entry>"],
        id="Atom's namespace not quite as it is",
    ),
    pytest.param(
        b"<feed><entry><id>1</id></entry></feed>",
        Format.ATOM,
        [b"<entry><id>1</id></entry>"],
        id="Atom without its namespace",
    ),
    pytest.param(
        b'<!DOCTYPE rss [<!ENTITY a "<b/>"> <!-- ]> --> <!ATTLIST item a CDATA "]>">]>'
        b"<rss><channel><item>&a;</item></channel></rss>",
        Format.RSS,
        [b"<item>&a;</item>"],
        id="a DTD of its own",
    ),
    pytest.param(
        b'<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">'
        b"<!ENTITY % y '<!ENTITY z \"\">'> %y;]>"
        b"<rss><channel><item>&x;&z;</item></channel></rss>",
        Format.RSS,
        [b"<item>&x;&z;</item>"],
        id="external entities are left as they are",
    ),
    pytest.param(
        b"<rss><channel><item title='>' a=\"/item>>\"><a b='/'/></item></channel></rss>",
        Format.RSS,
        [b"<item title='>' a=\"/item>>\"><a b='/'/></item>"],
        id="what looks like a tag's end stands in an attribute",
    ),
    pytest.param(
        b"<rss><channel><item>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</item></channel></rss>",
        Format.RSS,
        [b"<item>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</item>"],
        id="an entry of deep nesting",
    ),
    pytest.param(
        b"<rss><channel><item>"
        + b"".join(b"<a%d a%d=''/>" % (number, number) for number in range(5000))
        + b"</item></channel></rss>",
        Format.RSS,
        [
            b"<item>"
            + b"".join(b"<a%d a%d=''/>" % (number, number) for number in range(5000))
            + b"</item>"
        ],
        id="an entry of many names",
    ),
]


@pytest.mark.parametrize(("body", "format_", "entries"), FEEDS)
def test_entries_are_found_by_their_bytes(
    body: bytes, format_: Format, entries: list[bytes]
) -> None:
    feed = read_document(body, "")
    assert isinstance(feed, Feed)
    assert feed.format is feed.context.format is format_
    assert feed.body == body
    assert [body[entry.start : entry.end] for entry in feed.entries] == entries


OPAQUE = [
    pytest.param(b"", "empty", id="nothing"),
    pytest.param(b" \r\n\xef\xbb\xbf", "empty", id="white space"),
    pytest.param(b"\x1f\x8b\x08<x/>", "not XML", id="binary"),
    pytest.param(b"<p>x</p>" + b" " * 4096 + b"<rss>", "root element 'p'", id="a feed far down"),
    pytest.param(b"<html><body>502</body></html>", "root element 'html'", id="error page"),
    pytest.param(
        b"<rss xmlns:%b=''><channel><%b:item/></channel></rss>" % (b"a" * 300, b"a" * 300),
        "a name of more than 256 bytes",
        id="a long name",
    ),
    pytest.param(b"<p>&nbsp;</p>", "root element 'p'", id="broken, and no feed"),
    pytest.param(b"<!-- <rss> ", "not well-formed: unclosed token (line 1)", id="no element"),
    pytest.param(
        b'<entry xmlns="http://www.w3.org/2005/Atom"><id>1</id></entry>',
        "root element '{http://www.w3.org/2005/Atom}entry'",
        id="a lone entry",
    ),
    pytest.param(
        "<rss>\0".encode("utf-16le") + b"x", "not in utf-16le, as it says", id="cut UTF-16"
    ),
    pytest.param(
        b"<rss><channel>" + b"<item/>" * 20_001 + b"</channel></rss>",
        "more than 20000 entries",
        id="too many entries",
    ),
    pytest.param(b"<rss version='2.0'/>", "no channel", id="RSS without a channel"),
    pytest.param(
        f"<r:RDF xmlns:r='{RDF_SYNTAX}'><r:Description/></r:RDF>".encode(),
        "no channel",
        id="RDF that is no feed",
    ),
    pytest.param(b"<rss><channel/><channel/></rss>", "more than one channel", id="two channels"),
    pytest.param(
        b"<rss><channel xml:lang='fr'><item/></channel><item/></rss>",
        "entries in places that do not inherit the same",
        id="items inside and beside a channel of another language",
    ),
    pytest.param(
        b"<rss><channel xmlns:a='u'><item/></channel><channel xmlns:a='v'><item/></channel></rss>",
        "entries in places that do not inherit the same",
        id="items in two channels of other namespaces",
    ),
    pytest.param(
        b"<rss><channel>" + b"<a>" * 300, "elements nested deeper than 256", id="deep envelope"
    ),
    pytest.param(
        b"<rss "
        + b" ".join(b"xmlns:a%d='u'" % number for number in range(200))
        + b"><channel/></rss>",
        "more than 128 namespace prefixes",
        id="too many prefixes",
    ),
]


@pytest.mark.parametrize(("body", "reason"), OPAQUE)
def test_what_cannot_be_cut_is_opaque_and_says_why(body: bytes, reason: str) -> None:
    assert read_document(body, "") == Opaque(reason=reason)


RECOVERED = [
    pytest.param(
        b"<rss><channel>\n<item>&nbsp;</item></channel></rss>",
        [b"<item>&nbsp;</item>"],
        "undefined entity (line 2)",
        id="HTML entity without a DTD",
    ),
    pytest.param(
        b"\r\n\n<rss><channel>\n<item>&nbsp;</item></channel></rss>",
        [b"<item>&nbsp;</item>"],
        "undefined entity (line 4)",
        id="lines are counted from the very first",
    ),
    pytest.param(
        b"<rss><channel><item>a & b < c</item><item>d</item></channel></rss>",
        [b"<item>a & b < c</item>", b"<item>d</item>"],
        "not well-formed (invalid token) (line 1)",
        id="characters that should be escaped",
    ),
    pytest.param(
        b"<rss><channel><item>a\0b\x01</item></channel></rss>",
        [b"<item>a\0b\x01</item>"],
        "not well-formed (invalid token) (line 1)",
        id="NUL and control characters",
    ),
    pytest.param(
        b"<rss><channel><item>caf\xe9</item></channel></rss>",
        [b"<item>caf\xe9</item>"],
        "not well-formed (invalid token) (line 1)",
        id="bytes that are no UTF-8",
    ),
    pytest.param(
        b"<rss><channel><item><p>a<br>b</p><b></item><item>c</item></channel></rss>",
        [b"<item><p>a<br>b</p><b></item>", b"<item>c</item>"],
        "mismatched tag (line 1)",
        id="tags left open inside an entry",
    ),
    pytest.param(
        b"<rss><channel><title><b></title><link><item>a</item></channel></rss>",
        [b"<item>a</item>"],
        "mismatched tag (line 1)",
        id="tags left open before the entries",
    ),
    pytest.param(
        b"Notice: x in y\n<?xml version='1.0'?><rss><channel><item>a</item></channel></rss>",
        [b"<item>a</item>"],
        "text before the feed",
        id="a program's warning before the feed",
    ),
    pytest.param(
        b"<br />\n<b>Notice</b>: x<br />\n<rss><channel><item>a</item></channel></rss>",
        [b"<item>a</item>"],
        "text before the feed",
        id="a warning with tags before the feed",
    ),
    pytest.param(
        b"<!-- cached --><?xml version='1.0'?><rss><channel><item>a</item></channel></rss>",
        [b"<item>a</item>"],
        "XML or text declaration not at start of entity (line 1)",
        id="a comment before the declaration",
    ),
    pytest.param(
        b"<rss><channel></b><item>a</item></x></channel></rss>",
        [b"<item>a</item>"],
        "mismatched tag (line 1)",
        id="stray end tags",
    ),
    pytest.param(
        b"<rss><channel><item>a<item>b</channel></rss>",
        [b"<item>a", b"<item>b"],
        "mismatched tag (line 1)",
        id="entries without end tags",
    ),
    pytest.param(
        b'<rss><channel><item><a href="x"" b="1"/></item><item>c</item></channel></rss>',
        [b'<item><a href="x"" b="1"/></item>', b"<item>c</item>"],
        "not well-formed (invalid token) (line 1)",
        id="quotes that don't match",
    ),
]


@pytest.mark.parametrize(("body", "entries", "fault"), RECOVERED)
def test_a_broken_feed_is_cut_at_its_tags_and_says_what_is_wrong(
    body: bytes, entries: list[bytes], fault: str
) -> None:
    feed = read_document(body, "")
    assert isinstance(feed, Feed)
    assert feed.fault == f"not well-formed: {fault}"
    assert [body[entry.start : entry.end] for entry in feed.entries] == entries
    assert cut(feed, feed.entries).document == body


ODD = [
    pytest.param(
        b"<rss>\n<item>a</item><title/><item>b</item></rss>",
        [b"<item>a</item>", b"<item>b</item>"],
        "no channel",
        id="no channel around the items",
    ),
    pytest.param(
        b"<rss><channel><item>a</item></channel><channel><item>b</item></channel></rss>",
        [b"<item>a</item>", b"<item>b</item>"],
        "more than one channel",
        id="two channels",
    ),
    pytest.param(
        b"<rss><channel><item>a</item></channel><item>b</item></rss>",
        [b"<item>a</item>", b"<item>b</item>"],
        "entries in more than one place",
        id="items inside the channel and behind it",
    ),
    pytest.param(
        b"<rss><channel><title/></channel><item>a</item><item>b</item></rss>",
        [b"<item>a</item>", b"<item>b</item>"],
        None,
        id="all items behind the channel",
    ),
    pytest.param(
        f"<r:RDF xmlns:r='{RDF_SYNTAX}' xmlns='http://purl.org/rss/1.0/'>"
        "<item>a</item></r:RDF>".encode(),
        [b"<item>a</item>"],
        "no channel",
        id="RSS 1.0 without a channel",
    ),
    pytest.param(
        b"<RSS><CHANNEL><ITEM>a</ITEM><ITEM/></CHANNEL></RSS>",
        [b"<ITEM>a</ITEM>", b"<ITEM/>"],
        None,
        id="RSS in capitals",
    ),
    pytest.param(
        b"<rss><channel><Item>a</Item></channel></rss>",
        [b"<Item>a</Item>"],
        None,
        id="Item for item",
    ),
    pytest.param(
        b"<rss><Channel><item>a</item></Channel></rss>",
        [b"<item>a</item>"],
        None,
        id="Channel for channel",
    ),
    pytest.param(
        b"<RSS><CHANNEL><ITEM>a<ITEM>b</CHANNEL>",
        [b"<ITEM>a", b"<ITEM>b"],
        "not well-formed: mismatched tag (line 1)",
        id="RSS in capitals without end tags",
    ),
    pytest.param(
        b"<rss><channel><title>&lt;</title><Item>a<![CDATA[<item>]]></Item></channel></rss>",
        [b"<Item>a<![CDATA[<item>]]></Item>"],
        None,
        id="Item with what looks like item inside",
    ),
    pytest.param(
        b"<rss><channel><Item>no</Item><item>a</item></channel></rss>",
        [b"<item>a</item>"],
        None,
        id="Item beside item is none",
    ),
]
JUNK = "not well-formed: text before the feed"
ODD += [
    pytest.param(
        before + b"<?xml version='1.0'?><rss><channel><item>a</item></channel></rss>",
        [b"<item>a</item>"],
        fault,
        id=name,
    )
    for name, before, fault in (
        ("a NUL before the declaration", b"\0", JUNK),
        ("junk bytes before it", b"\x01\xff;\0\n", JUNK),
        ("two marks before it", b"\xef\xbb\xbf" * 2, None),
        ("a mark between empty lines", b"\n\xef\xbb\xbf\r\n", None),
    )
]
ODD += [
    pytest.param(
        b"\0<rss><channel><item>a</item></channel></rss>",
        [b"<item>a</item>"],
        JUNK,
        id="a NUL before the first tag",
    ),
    pytest.param(
        b"oops\n<RSS><CHANNEL><ITEM>a</ITEM></CHANNEL></RSS>",
        [b"<ITEM>a</ITEM>"],
        JUNK,
        id="text before capitals",
    ),
]


@pytest.mark.parametrize(("body", "entries", "fault"), ODD)
def test_what_no_format_allows_is_cut_where_readers_manage_and_says_so(
    body: bytes, entries: list[bytes], fault: str | None
) -> None:
    feed = read_document(body, "")
    assert isinstance(feed, Feed)
    assert feed.fault == fault
    assert [body[entry.start : entry.end] for entry in feed.entries] == entries
    assert cut(feed, feed.entries).document == body + feed.closing
    again = read_document(cut(feed, feed.entries[:1]).document, "")
    assert isinstance(again, Feed)
    assert len(again.entries) == 1


@pytest.mark.parametrize("encoding", ["utf-16le", "utf-16be", "utf-32le"])
def test_a_second_mark_of_a_wide_encoding_is_passed_over(encoding: str) -> None:
    text = "<?xml version='1.0'?><rss><channel><item>\xe9</item></channel></rss>"
    body = f"\ufeff\ufeff{text}".encode(encoding)
    feed = read_document(body, "")
    assert isinstance(feed, Feed)
    assert (feed.context.encoding, feed.fault) == (encoding, None)
    (entry,) = feed.entries
    assert body[entry.start : entry.end] == "<item>\xe9</item>".encode(encoding)


def test_an_item_in_capitals_is_known_by_its_guid_and_its_date_is_no_news() -> None:
    def read(day: int) -> Feed:
        item = f"<ITEM><GUID>1</GUID><TITLE>t</TITLE><PubDate>{day}</PubDate></ITEM>"
        feed = read_document(f"<RSS><CHANNEL>{item}</CHANNEL></RSS>".encode(), "")
        assert isinstance(feed, Feed)
        return feed

    (before,), (now,) = read(1).entries, read(2).entries
    assert (before.identity, before.fingerprint) == (now.identity, now.fingerprint)
    lower = read_document(b"<rss><channel><item><guid>1</guid></item></channel></rss>", "")
    assert isinstance(lower, Feed)
    assert lower.entries[0].identity == before.identity


def test_a_feed_with_entities_of_its_own_is_not_judged_since_that_would_expand_them() -> None:
    dtd = b'<!DOCTYPE rss [<!ENTITY a "b">]>'
    feed = read_document(dtd + b"<rss><channel><item>&nope;</item></channel></rss>", "")
    assert isinstance(feed, Feed)
    assert (feed.fault, len(feed.entries)) == (None, 1)


TRUNCATED = [
    pytest.param(b"", b"", id="behind an entry"),
    pytest.param(b"<item><a>b</a>", b"", id="inside an entry"),
    pytest.param(b"<item><![CDATA[a</item>", b"", id="inside CDATA"),
    pytest.param(b"<!-- a <item>b</item>", b"", id="inside a comment"),
    pytest.param(b"<ite", b"", id="inside a tag"),
    pytest.param(b"<image><url>a</url>", b"<image><url>a</url></image>", id="behind the entries"),
]


@pytest.mark.parametrize(("rest", "kept"), TRUNCATED)
def test_a_truncated_feed_is_less_its_last_entry_and_gets_its_end(rest: bytes, kept: bytes) -> None:
    whole = b"<rss><channel><title>t</title><item>1</item>"
    feed = read_document(whole + rest, "")
    assert isinstance(feed, Feed)
    assert feed.fault is not None
    ping = cut(feed, feed.entries)
    assert ping.document == whole + kept + b"</channel></rss>"
    assert len(ping.entries) == 1
    again = read_document(ping.document, "")
    assert isinstance(again, Feed)
    assert (again.fault, again.entries) == (None, ping.entries)


def test_a_truncated_utf_16_feed_gets_its_end_in_utf_16() -> None:
    feed = read_document("<rss><channel><item>\xe9</item><item>".encode("utf-16"), "")
    assert isinstance(feed, Feed)
    whole = "<rss><channel><item>\xe9</item></channel></rss>"
    assert cut(feed, feed.entries).document == whole.encode("utf-16")


@pytest.mark.parametrize("namespace", ["http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#"])
def test_links_of_a_broken_feed_are_read(namespace: str) -> None:
    feed = read_document(
        f'<feed xmlns="{namespace}"><title>'.encode() + b"&nbsp;</title>"
        b'<link rel="hub" href="http://h/"/><link rel="self" href="http://s/"><entry>',
        "",
    )
    assert isinstance(feed, Feed)
    assert (feed.hub_links, feed.self_link) == (("http://h/",), "http://s/")


def test_links_of_the_feed_itself_are_found_as_written() -> None:
    feed = read_document(
        b'<rss xmlns:atom="http://www.w3.org/2005/Atom"><channel>'
        b'<atom:link rel="HUB" href=" https://hub.example/?a=1&amp;b=2 "/>'
        b'<atom:link rel="hub" href="../hub"/><atom:link rel="self" href="/feed"/>'
        b'<atom:link rel="self" href="/other"/><atom:link rel="hub" href=""/>'
        b'<link rel="hub" href="x"/>'
        b'<image><atom:link rel="hub" href="image"/></image>'
        b'<item><atom:link rel="hub" href="item"/></item></channel></rss>',
        "",
    )
    assert isinstance(feed, Feed)
    assert feed.hub_links == ("https://hub.example/?a=1&b=2", "../hub")
    assert feed.self_link == "/feed"


def test_context_holds_what_entries_inherit_and_nothing_else() -> None:
    feed = read_document(
        b'<?xml version="1.0"?><!-- <!DOCTYPE no> --><!DOCTYPE rss SYSTEM "a>b.dtd" >'
        b'<rss xmlns:b="urn:b" version="2.0" xmlns:a="urn:a"><channel xml:lang="de" id="x">'
        b"<item/></channel></rss>",
        "text/xml; charset=ISO-8859-15",
    )
    assert isinstance(feed, Feed)
    assert feed.context.encoding == "iso-8859-15"
    assert feed.context.doctype == b'<!DOCTYPE rss SYSTEM "a>b.dtd" >'
    assert feed.context.around == (
        Surrounding(name="rss", inherited=(("xmlns:a", "urn:a"), ("xmlns:b", "urn:b"))),
        Surrounding(name="channel", inherited=(("xml:lang", "de"),)),
    )


def test_context_of_a_feed_that_begins_empty_is_that_of_its_later_entries() -> None:
    before = read_document(b"<rss><channel><title/></channel></rss>", "")
    after = read_document(b"<rss><channel><title/><item/></channel></rss>", "")
    assert isinstance(before, Feed)
    assert isinstance(after, Feed)
    assert before.context == after.context


HOSTILE = [
    pytest.param(
        b"<rss><channel><item " + b"a" * 500_000 + b"='1'/></channel></rss>", id="a huge name"
    ),
    pytest.param(
        b"<rss><channel><item>" + b" " * 500_000 + b"</item></channel></rss>", id="white space"
    ),
    pytest.param(
        b"<rss><channel>" + b"<item> </item>" * 35_000 + b"</channel></rss>", id="many entries"
    ),
    pytest.param(
        b"<rss "
        + b" ".join(b"xmlns:a%d='u'" % number for number in range(120))
        + b"><channel><item>"
        + b"<x xmlns='v'/>" * 35_000
        + b"</item></channel></rss>",
        id="many scopes",
    ),
    pytest.param(b"<rss><channel><item>" + b"<!--" * 125_000, id="comments without an end"),
    pytest.param(b"<rss><channel><item>" + b"<![CDATA[" * 55_000, id="CDATA without an end"),
    pytest.param(b"<rss><channel><item>" + b'<a b="' * 83_000, id="quotes without an end"),
    pytest.param(b"<!DOCTYPE a [" * 40_000 + b"<rss>", id="document types without an end"),
    pytest.param(b'<!DOCTYPE a "' * 40_000 + b"<rss>", id="quotes in document types"),
    pytest.param(
        b"<rss><channel>" + b"<a>" * 240 + b"</b>" * 40_000 + b"</channel></rss>",
        id="stray end tags below many levels",
    ),
    pytest.param(
        b"<rss><channel><item>" + b"?" * 500_000 + b"utm_</item></channel></rss>",
        id="question marks",
    ),
    pytest.param(
        b"<rss><channel><item>" + b"<pubDate>" * 26_000 + b"</pubDate>" * 26_000,
        id="dates within dates",
    ),
    pytest.param(
        b"<rss><channel><item>"
        + b"<a><guid>1</guid>" * 23_000
        + b"</a>" * 23_000
        + b"</item></channel></rss>",
        id="ids ever deeper",
    ),
    pytest.param(
        b'<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa">'
        + b"".join(
            b'<!ENTITY a%d "%s">' % (n, b"&a%s;" % (str(n - 1).encode() if n else b"") * 10)
            for n in range(10)
        )
        + b"]><rss><channel><item a='&a9;'>"
        + b"&a9;" * 100_000
        + b"</item></channel></rss>",
        id="entities within entities",
    ),
    pytest.param(
        b'{"version":"https://jsonfeed.org/version/1","items":' + b"[" * 500_000, id="deep JSON"
    ),
    pytest.param(
        b'{"version":"https://jsonfeed.org/version/1","items":[' + b"{}," * 160_000 + b"{}]}",
        id="many items",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("body", HOSTILE)
def test_a_hostile_document_of_500_kb_is_read_in_bounded_time_and_memory(body: bytes) -> None:
    started_s = time.perf_counter()
    read_document(body, "")
    assert time.perf_counter() - started_s < 2
    tracemalloc.start()
    read_document(body, "")
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 50 * len(body)
