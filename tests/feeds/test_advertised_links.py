"""What a topic says of its hubs and itself, in headers, feeds and pages (WebSub 4)."""

import time

import pytest

from hub.feeds.discovery import advertised_links
from hub.feeds.document import read_document
from hub.protocol.links import Links

URL = "http://t.example/blog/feed?x=1"
NOTHING = Links(hubs=(), self_url=None)
PAGE = b"<head><link rel=hub href=//page.example/><link rel=self href=page></head>"
PAGE_LINKS = Links(hubs=("http://page.example/",), self_url="http://t.example/blog/page")
ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom"%b><id>i</id>
<link rel="hub" href="//feed.example/"/><link rel="self" href="self.atom"/>
<entry><id>e</id><link rel="hub" href="http://entry.example/"/></entry></feed>"""
RSS = b"""<rss version="2.0" xmlns:a="http://www.w3.org/2005/Atom"><channel><title>t</title>
<a:link rel="self hub" href="/both?a=1&amp;b=2"/><item><guid>e</guid></item></channel></rss>"""


def found(body: bytes, content_type: str = "text/html", *link_values: str) -> Links:
    document = read_document(body, content_type)
    return advertised_links(link_values, document, body, content_type=content_type, url=URL)


@pytest.mark.parametrize(
    "content_type", ["text/html", "application/atom+xml", "text/plain", "", "application/json"]
)
def test_a_feed_is_read_whatever_it_is_served_as(content_type: str) -> None:
    expected = Links(hubs=("http://feed.example/",), self_url="http://t.example/blog/self.atom")
    assert found(ATOM % b"", content_type) == expected


def test_the_links_of_a_feed_have_its_base() -> None:
    based = ATOM % b' xml:base="/other/"'
    assert found(based).self_url == "http://t.example/other/self.atom"


def test_a_base_that_is_no_web_address_counts_for_nothing() -> None:
    based = ATOM % b' xml:base="javascript:1"'
    assert found(based).self_url == "http://t.example/blog/self.atom"


def test_one_link_of_rss_may_have_several_relations() -> None:
    both = "http://t.example/both?a=1&b=2"
    assert found(RSS) == Links(hubs=(both,), self_url=both)


@pytest.mark.parametrize("content_type", ["text/html;charset=utf-8", "application/xhtml+xml"])
def test_a_page_is_read(content_type: str) -> None:
    assert found(PAGE, content_type) == PAGE_LINKS


def test_a_page_without_a_content_type_is_read_where_it_looks_like_one() -> None:
    assert found(b"<!doctype html>" + PAGE, "") == PAGE_LINKS


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "image/png"])
def test_what_is_served_as_something_else_is_no_page(content_type: str) -> None:
    assert found(b"<!doctype html>" + PAGE, content_type) == NOTHING


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("/a/b", "http://t.example/a/page"),
        ("https://b.example/x/", "https://b.example/x/page"),
        ("data:text/html,x", "http://t.example/blog/page"),
        ("", "http://t.example/blog/page"),
    ],
)
def test_the_links_of_a_page_have_its_base(base: str, expected: str) -> None:
    assert found(b"<base href='%b'>%b" % (base.encode(), PAGE)).self_url == expected


@pytest.mark.parametrize("body", [PAGE, ATOM % b""], ids=["a page", "a feed"])
def test_headers_come_first(body: bytes) -> None:
    expected = Links(hubs=("http://h.example/",), self_url="http://t.example/s")
    assert found(body, "text/html", "<http://h.example/>; rel=hub", "</s>; rel=self") == expected


def test_what_headers_leave_open_is_looked_for_within() -> None:
    assert found(PAGE, "text/html", "</s>; rel=self") == Links(
        hubs=PAGE_LINKS.hubs, self_url="http://t.example/s"
    )
    assert found(PAGE, "text/html", "<http://h/>; rel=hub, <a>; rel=next") == Links(
        hubs=("http://h/",), self_url=PAGE_LINKS.self_url
    )


def test_a_base_changes_nothing_about_headers() -> None:
    page = b"<base href=http://b.example/>" + PAGE
    assert found(page, "text/html", "</s>; rel=self").self_url == "http://t.example/s"


def test_many_hubs_are_read_at_once_and_few_kept() -> None:
    links = "".join(f'<link rel="hub" href="http://h/{n}"/>' for n in range(100_000))
    feed = f'<feed xmlns="http://www.w3.org/2005/Atom"><id>i</id>{links}</feed>'.encode()
    document = read_document(feed, "")
    started_s = time.process_time()
    links_found = advertised_links([], document, feed, content_type="", url=URL)
    assert time.process_time() - started_s < 1
    assert links_found.hubs == tuple(f"http://h/{n}" for n in range(10))
