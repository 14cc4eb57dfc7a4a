"""What a fetched document is to the hub: a feed that can be cut, or opaque, and why."""

import time
import tracemalloc

import pytest

from hub.feeds.document import Feed, Format, Opaque, Surrounding, read_document

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
    pytest.param(b'{"version": "https://jsonfeed.org/version/1.1"}', "not XML", id="JSON Feed"),
    pytest.param(b"\x1f\x8b\x08<rss/>", "not XML", id="binary"),
    pytest.param(b"<html><body>502</body></html>", "root element 'html'", id="error page"),
    pytest.param(b"<feed><entry/></feed>", "root element 'feed'", id="Atom without its namespace"),
    pytest.param(
        b"<rss><channel><item></channel></rss>",
        "not well-formed: mismatched tag (line 1)",
        id="mismatched tag",
    ),
    pytest.param(
        b"<rss><channel>\n<item>&nbsp;</item></channel></rss>",
        "not well-formed: undefined entity (line 2)",
        id="HTML entity without a DTD",
    ),
    pytest.param(
        b"<rss><channel><item>", "not well-formed: no element found (line 1)", id="truncated"
    ),
    pytest.param(b"<rss version='2.0'/>", "no channel", id="RSS without a channel"),
    pytest.param(
        f"<r:RDF xmlns:r='{RDF_SYNTAX}'><r:Description/></r:RDF>".encode(),
        "no channel",
        id="RDF that is no feed",
    ),
    pytest.param(b"<rss><channel/><channel/></rss>", "more than one channel", id="two channels"),
    pytest.param(
        b"<rss><channel><item/></channel><item/></rss>",
        "entries in more than one place",
        id="items inside and beside the channel",
    ),
    pytest.param(
        b'<?xml version="1.0" encoding="Shift_JIS"?><rss><channel/></rss>',
        "encoding 'shift-jis'",
        id="multi-byte encoding",
    ),
    pytest.param(
        b'<!DOCTYPE rss [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
        b"<rss><channel><item>&b;</item></channel></rss>",
        "a DTD with declarations of its own",
        id="entities of its own",
    ),
    pytest.param(
        b'<!DOCTYPE rss [<!ATTLIST item a CDATA "aaaa">]><rss><channel><item/></channel></rss>',
        "a DTD with declarations of its own",
        id="default attributes",
    ),
    pytest.param(
        b'<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel>&x;</channel></rss>',
        "a DTD with declarations of its own",
        id="external entity",
    ),
    pytest.param(
        b"<rss><channel>" + b"<a>" * 300, "elements nested deeper than 256", id="deep envelope"
    ),
    pytest.param(
        b"<rss><channel><item>" + b"<a>" * 300, "elements nested deeper than 256", id="deep entry"
    ),
    pytest.param(
        b"<rss "
        + b" ".join(b"xmlns:a%d='u'" % number for number in range(200))
        + b"><channel/></rss>",
        "more than 128 namespace prefixes",
        id="too many prefixes",
    ),
    pytest.param(
        b"<rss><channel><item>"
        + b"".join(b"<a%d/>" % number for number in range(5000))
        + b"</item></channel></rss>",
        "more than 4096 element names",
        id="too many element names",
    ),
    pytest.param(
        b"<rss><channel><item>"
        + b"".join(b"<a a%d=''/>" % number for number in range(5000))
        + b"</item></channel></rss>",
        "more than 4096 attribute names",
        id="too many attribute names",
    ),
]


@pytest.mark.parametrize(("body", "reason"), OPAQUE)
def test_what_cannot_be_cut_is_opaque_and_says_why(body: bytes, reason: str) -> None:
    assert read_document(body, "") == Opaque(reason=reason)


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
