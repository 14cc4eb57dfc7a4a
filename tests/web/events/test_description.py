"""What entries say, as plain text, however hostile they are."""

import json
from typing import Any

import pytest

from hub.web.events.description import (
    SUMMARY_MAX,
    TITLE_MAX,
    Described,
    describe_items,
    describe_xml,
)
from hub.web.events.description_process import describe

URL = "http://topic.example/blog/feed"


def atom_entry(inner: str) -> Described:
    text = f'<feed xmlns="http://www.w3.org/2005/Atom"><entry>{inner}</entry></feed>'
    described = describe_xml(text, count=1, url=URL)
    assert described is not None
    return described[0]


def rss_item(inner: str) -> Described:
    text = f'<rss version="2.0"><channel><item>{inner}</item></channel></rss>'
    described = describe_xml(text, count=1, url=URL)
    assert described is not None
    return described[0]


class TestAtom:
    def test_all_that_an_entry_says(self) -> None:
        described = atom_entry(
            "<id>urn:1</id><title>A &amp; B</title><link href='../one?a=1'/>"
            "<published>2026-01-01T12:00:00+02:00</published>"
            "<updated>2026-01-02T00:00:00Z</updated><summary>Short.</summary>"
        )
        assert described == Described(
            id="urn:1",
            title="A & B",
            link="http://topic.example/one?a=1",
            published="2026-01-01T10:00:00Z",
            updated="2026-01-02T00:00:00Z",
            summary="Short.",
        )

    def test_what_it_does_not_say_is_none(self) -> None:
        assert atom_entry("<published>2026-01-01T00:00:00Z</published>") == Described(
            id=None,
            title=None,
            link=None,
            published="2026-01-01T00:00:00Z",
            updated=None,
            summary=None,
        )

    def test_content_stands_in_for_a_summary(self) -> None:
        assert atom_entry("<content type='html'>&lt;p>Hi&lt;/p></content>").summary == "Hi"


class TestHostileText:
    @pytest.mark.parametrize(
        ("html", "text"),
        [
            ("one <script>alert(1)</script>two", "one two"),
            ("<style>p{}</style>plain", "plain"),
            ("<img src=x onerror=alert(1)>plain", "plain"),
            ("<b>bold</b> &amp; <i>more</i>", "bold & more"),
            ("a\x01b\x7fc\u0085d <p>e</p>", "abcd e"),
            ("   <p> </p> ", None),
            ("&lt;script&gt;", "<script>"),
        ],
    )
    def test_markup_and_control_characters_go(self, html: str, text: str | None) -> None:
        (item,) = describe_items([json.dumps({"id": "1", "content_html": html})]) or ()
        assert item.summary == text

    def test_a_script_in_a_title_is_gone_or_text(self) -> None:
        title = "<title type='html'>One&lt;script>alert(1)&lt;/script></title>"
        assert atom_entry(title).title == "One"
        # RSS does not say which it means; it is read as what it says.
        assert rss_item("<title>1 &lt; &lt;i></title>").title == "1 < <i>"

    @pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "ftp://a.b/"])
    def test_only_web_links_are_links(self, link: str) -> None:
        assert atom_entry(f"<link href='{link}'/>").link is None

    def test_long_texts_are_cut(self) -> None:
        described = rss_item(f"<title>{'x' * 999}</title><description>{'y ' * 9_999}</description>")
        assert len(described.title or "") == TITLE_MAX
        assert len(described.summary or "") == SUMMARY_MAX


class TestRss:
    def test_dates_and_ids(self) -> None:
        described = rss_item(
            "<guid isPermaLink='false'>7</guid><link>http://x.example/7</link>"
            "<pubDate>Thu, 01 Jan 2026 01:00:00 +0100</pubDate>"
        )
        assert (described.id, described.link) == ("7", "http://x.example/7")
        assert described.published == "2026-01-01T00:00:00Z"

    def test_without_a_guid_the_link_is_the_id(self) -> None:
        assert rss_item("<link>http://x.example/7</link>").id == "http://x.example/7"

    def test_entries_that_do_not_tally_are_not_described(self) -> None:
        assert describe_xml("<rss><channel/></rss>", count=1, url=URL) is None


class TestJsonFeed:
    def test_all_that_an_item_says(self) -> None:
        item = {
            "id": 7,
            "url": "https://x.example/7",
            "title": "Seven",
            "content_text": "All of it.",
            "date_published": "2026-01-01T01:00:00+01:00",
            "date_modified": "2026-01-02T00:00:00Z",
        }
        assert describe_items([json.dumps(item)]) == (
            Described(
                id="7",
                title="Seven",
                link="https://x.example/7",
                published="2026-01-01T00:00:00Z",
                updated="2026-01-02T00:00:00Z",
                summary="All of it.",
            ),
        )

    @pytest.mark.parametrize(
        "item",
        [{}, {"title": 1, "url": ["x"], "content_html": {}}, {"date_published": "yesterday"}],
    )
    def test_what_is_nonsense_says_nothing(self, item: dict[str, Any]) -> None:
        (described,) = describe_items([json.dumps(item)]) or ()
        assert described == Described(
            id=None, title=None, link=None, published=None, updated=None, summary=None
        )


@pytest.mark.parametrize(
    "job",
    [b"{}", b"not JSON", b'{"format": "json", "sources": ["["], "url": ""}',
     b'{"format": "json", "sources": ["1"], "url": ""}',
     b'{"format": "atom", "sources": ["1"], "url": "", "text": ""}'],
)  # fmt: skip
def test_a_job_that_fails_has_no_description(job: bytes) -> None:
    assert describe(job) == b"null"
