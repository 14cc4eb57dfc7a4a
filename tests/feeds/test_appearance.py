"""What entries say does not hang on what they are read with."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.feeds.appearance import BATCH_BYTES, AppearanceReader
from hub.feeds.namespaces import Scope
from hub.feeds.vocabulary import vocabulary_of
from hub.feeds.words import Words, words_in_scopes

RSS = vocabulary_of("rss")
SCOPE = Scope().inside(
    {
        "xmlns:dc": "http://purl.org/dc/elements/1.1/",
        "xmlns:x": "urn:x%20%b",
        "xmlns:y": "urn:x%20%b",
    }
)

TEXTS = st.sampled_from(
    (
        "",
        " ",
        "word",
        "two  words\n",
        "&lt;b&gt; &amp;amp; &#8217;",
        "a > b",
        "100 %b",
        "<![CDATA[<b>x</b> & ]] > xmlns]]>",
        "<!-- <b> -->",
        "<?php > ?>",
        "https://e.example/?utm_source=a&b=c",
        "this &amp; that",
    )
)
VALUES = st.sampled_from(("1", "2", "", "https://e.example/", "a > b", "it's", "1%b"))
SHAPES = st.sampled_from(
    (
        "",
        ' href="{}"',
        " href='it\"s'",
        ' x:a="{}" b = "{}"',
        ' b="{}" x:a="{}"',
        ' x:a="{}" y:a="{}"',
        ' xmlns="urn:x"',
        ' xmlns=""',
        ' xmlns:dc="urn:other"',
    )
)
ATTRIBUTES = st.builds(str.format, SHAPES, VALUES, VALUES)
NAMES = st.sampled_from(("title", "link", "guid", "dc:date", "dc:creator", "x:a", "pubDate", "b"))


def element(content: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return elements around that content, some of them empty."""
    full = st.builds("<{0}{1}>{2}</{0}>".format, NAMES, ATTRIBUTES, content)
    return full | st.builds("<{}{}/>".format, NAMES, ATTRIBUTES)


CONTENT = st.recursive(
    TEXTS, lambda inner: st.lists(inner | element(inner), max_size=4).map("".join), max_leaves=12
)
ENTRIES = st.lists(
    st.builds("<item{0}>{1}</item>".format, ATTRIBUTES, CONTENT.map(str) | element(CONTENT)),
    min_size=1,
    max_size=6,
)


def read(entries: list[bytes], *, is_well_formed: bool) -> list[bytes]:
    """Return what the entries of one document say."""
    data = b"\n".join(entries)
    ends = [0]
    for entry in entries:
        ends.append(ends[-1] + len(entry) + 1)
    spans = [(start, end - 1) for start, end in pairwise(ends)]
    reader = AppearanceReader(RSS, SCOPE, is_well_formed=is_well_formed)
    return list(reader.read(data, spans))


@given(entries=ENTRIES)
def test_an_entry_says_the_same_alone_and_among_others(entries: list[str]) -> None:
    written = [entry.encode() for entry in entries]
    alone = [read([entry], is_well_formed=False)[0] for entry in written]
    assert read(written, is_well_formed=True) == alone
    assert read(written, is_well_formed=False) == alone


def test_the_tracking_parameters_of_one_entry_do_not_change_another() -> None:
    entries = [b"<item>this &amp; that</item>", b"<item>http://e.example/?utm_source=a</item>"]
    assert read(entries, is_well_formed=True) == [
        b" \x01item this & that \x04 ",
        b" \x01item http://e.example/ \x04 ",
    ]


def test_stray_angle_brackets_of_a_broken_entry_are_text() -> None:
    shown = read([b"<item>1 < 2 <b>x</b> > y</item>"], is_well_formed=False)
    assert shown == [b" \x01item 1 < 2 \x01b x \x04 > y \x04 "]


@given(tags=st.lists(st.builds("<b{}>".format, ATTRIBUTES), min_size=8, max_size=24))
def test_a_tag_has_the_same_word_when_one_of_its_form_was_met_before(tags: list[str]) -> None:
    words = Words(RSS, SCOPE)
    for tag in tags:
        assert words[tag.encode()] == Words(RSS, SCOPE)[tag.encode()]


def test_more_entries_than_are_read_at_once_come_in_order() -> None:
    entries = [b"<item><guid>%d</guid></item>" % number for number in range(BATCH_BYTES // 10)]
    shown = read(entries, is_well_formed=True)
    assert shown == [b" \x01item \x01guid %d \x04 \x04 " % at for at in range(len(entries))]


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        pytest.param(
            b"<a xmlns='urn:x'>|<b>|</b>|</a>|<b>",
            b"\x01{urn:x}a|\x01{urn:x}b|\x04|\x04|\x01b",
            id="to the end of its element",
        ),
        pytest.param(
            b"<a xmlns='urn:x'>|<b xmlns='urn:y'>|<c>|</c>|</b>|<c>|</c>|</a>|<c>",
            b"\x01{urn:x}a|\x01{urn:y}b|\x01{urn:y}c|\x04|\x04|\x01{urn:x}c|\x04|\x04|\x01c",
            id="until an inner one, and again behind that",
        ),
        pytest.param(
            b"<a xmlns='urn:x'>|<b>|<c xmlns='urn:y'>|</c>|</b>|<d>|</d>|</a>|<e>",
            b"\x01{urn:x}a|\x01{urn:x}b|\x01{urn:y}c|\x04|\x04|\x01{urn:x}d|\x04|\x04|\x01e",
            id="to its own end, however deep an inner one lies",
        ),
        pytest.param(
            b"<a xmlns='urn:x'/>|<b>",
            b"\x01{urn:x}a \x04|\x01b",
            id="not beyond an empty element",
        ),
        pytest.param(
            b"<a xmlns='urn:x'>|<br/>|<b>|<c/>|</b>|</a>|<b>|<a xmlns='urn:y'>|<b>",
            b"\x01{urn:x}a|\x01{urn:x}br \x04|\x01{urn:x}b|\x01{urn:x}c \x04|\x04|\x04|\x01b"
            b"|\x01{urn:y}a|\x01{urn:y}b",
            id="over empty elements, and each its own",
        ),
        pytest.param(
            b"</a xmlns='urn:x'>|<b>|</b>|</c>|</d>",
            b"\x04|\x01b|\x04|\x04|\x04",
            id="from a start tag, not from an end tag",
        ),
    ],
)
def test_a_declaration_reaches(tags: bytes, words: bytes) -> None:
    assert words_in_scopes(tags.split(b"|"), Words(RSS, Scope())) == words.split(b"|")


@pytest.mark.parametrize(
    "tags",
    [
        pytest.param(
            lambda count: [b"<a xmlns='u'>"] * count + [b"</a>"] * count, id="nested declarations"
        ),
        pytest.param(lambda count: [b"<a xmlns='u'>"] * count, id="declarations left open"),
        pytest.param(
            lambda count: [b'<a b%d="1">' % number for number in range(count)],
            id="no two tags of one form",
        ),
    ],
)
def test_the_time_that_words_take_grows_no_faster_than_the_tags(tags: object) -> None:
    def taken_s(count: int) -> float:
        assert callable(tags)
        written = tags(count)
        started_s = time.process_time()
        words_in_scopes(written, Words(RSS, Scope()))
        return time.process_time() - started_s

    taken_s(1_000)
    # Eight times the tags; were it quadratic, it would be 64 times the time.
    assert min(taken_s(16_000) for _ in range(2)) < 24 * min(taken_s(2_000) for _ in range(5))
