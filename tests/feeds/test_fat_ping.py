"""One document with just the entries that matter, byte for byte as published."""

import time
from dataclasses import replace

import pytest

from hub.feeds.document import Context, Entry, Feed, Format, Surrounding, read_document
from hub.feeds.fat_ping import FatPing, cut, merge, pack, unpack

BODY = """\ufeff<?xml version="1.0"?>
<?xml-stylesheet href="style.xsl"?>
<rss version="2.0" xmlns:x="urn:x">
  <channel>
    <title>f\xe9ed</title>
    <item><guid>a</guid><x:b><![CDATA[<1>]]></x:b></item>
    <!-- between -->
    <item><guid>b</guid>&#65;</item>
\t<item><guid>c</guid></item><ttl>5</ttl>
  </channel>
</rss>
<!-- end -->
"""
A_AND_C = """\ufeff<?xml version="1.0"?>
<?xml-stylesheet href="style.xsl"?>
<rss version="2.0" xmlns:x="urn:x">
  <channel>
    <title>f\xe9ed</title>
    <item><guid>a</guid><x:b><![CDATA[<1>]]></x:b></item>
    <!-- between -->
\t<item><guid>c</guid></item><ttl>5</ttl>
  </channel>
</rss>
<!-- end -->
"""
ENVELOPE = """\ufeff<?xml version="1.0"?>
<?xml-stylesheet href="style.xsl"?>
<rss version="2.0" xmlns:x="urn:x">
  <channel>
    <title>f\xe9ed</title>
    <!-- between --><ttl>5</ttl>
  </channel>
</rss>
<!-- end -->
"""


def read(body: str, encoding: str = "utf-8") -> Feed:
    feed = read_document(body.encode(encoding), "")
    assert isinstance(feed, Feed)
    return feed


def rss(*items: str, title: str = "t", attributes: str = "") -> FatPing:
    content = "".join(
        f"\n  <item><guid>{item.partition('=')[0]}</guid>{item}</item>" for item in items
    )
    feed = read(f"<rss{attributes}><channel>\n  <title>{title}</title>{content}\n</channel></rss>")
    return cut(feed, feed.entries)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16le", "utf-16be"])
@pytest.mark.parametrize(
    ("kept", "document"),
    [
        pytest.param([0, 1, 2], BODY, id="all"),
        pytest.param([2, 0], A_AND_C, id="some"),
        pytest.param([], ENVELOPE, id="none"),
    ],
)
def test_an_entry_goes_with_the_white_space_before_it(
    kept: list[int], document: str, encoding: str
) -> None:
    feed = read(BODY, encoding)
    ping = cut(feed, [feed.entries[index] for index in kept])
    assert ping.document.decode(encoding) == document
    again = read_document(ping.document, "")
    assert isinstance(again, Feed)
    assert again.entries == ping.entries
    assert again.context == ping.context == feed.context


def test_a_merged_ping_has_the_newest_envelope_and_the_newest_of_each_entry_newest_first() -> None:
    pings = [
        rss("a=1", "b=1", title="one"),
        rss("c=1", "a=2", title="two"),
        rss("d=1", "c=2", title="three"),
    ]
    assert merge(pings) == (rss("d=1", "c=2", "a=2", "b=1", title="three"), 3)


def test_one_ping_is_merged_to_itself() -> None:
    ping = rss("a")
    assert merge([ping]) == (ping, 1)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(rss("b", attributes=' xmlns:x="urn:x"'), id="other namespaces"),
        pytest.param(rss("b", attributes=' xml:base="http://b.example/"'), id="other base"),
        pytest.param(replace(rss("b"), context=read(BODY, "utf-16le").context), id="encoding"),
        pytest.param(rss(), id="nothing in it"),
    ],
)
def test_only_the_run_that_fits_is_merged(other: FatPing) -> None:
    pings = [rss("a=1"), rss("a=2", "c"), other, rss("d")]
    assert merge(pings) == (rss("a=2", "c"), 2)
    assert merge(pings[2:])[1] == 1


def test_a_new_version_of_the_envelope_does_not_keep_pings_apart() -> None:
    assert merge([rss("a", attributes=' version="2.0"'), rss("b")])[1] == 2


def test_a_ping_is_packed_with_little_more_than_its_document() -> None:
    ping = rss("a", "b")
    assert len(pack(ping)) < len(ping.document) + 40 * 2 + 140


def test_every_field_survives_packing() -> None:
    ping = FatPing(
        context=Context(
            format=Format.RDF,
            encoding="iso-8859-1",
            doctype=b'<!DOCTYPE r SYSTEM "\xe9">',
            around=(
                Surrounding(name="{urn:\xe9}r", inherited=(("xmlns", "urn:\U0001f600"),)),
                Surrounding(name="c", inherited=()),
            ),
            is_well_formed=True,
        ),
        document=b"\x00\xff any",
        entries=(Entry(identity=b"i" * 16, fingerprint=b"f" * 16, start=1, end=2),),
    )
    assert unpack(pack(ping)) == ping


def test_damage_is_noticed_wherever_it_is() -> None:
    data = pack(rss("a"))
    for index in range(len(data)):
        damaged = bytearray(data)
        damaged[index] ^= 0x10
        with pytest.raises(ValueError, match="packed fat ping"):
            unpack(bytes(damaged))
        with pytest.raises(ValueError, match="packed fat ping"):
            unpack(data[:index])


@pytest.mark.slow
def test_a_hundred_pings_of_one_entry_merge_in_a_moment() -> None:
    pings = [rss(f"e{number}=text") for number in range(100)]
    started_s = time.perf_counter()
    merged, count = merge(pings)
    assert time.perf_counter() - started_s < 0.1
    assert (count, len(merged.entries)) == (100, 100)
