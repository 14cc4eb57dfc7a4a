"""What the head of a page links to, as a browser would see it (WebSub 4)."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.feeds.html_head import HEAD_MAX_BYTES, Head, is_html, read_head

HTML = "text/html"
HUB = ("hub", "http://h/")
LINK = b"<link rel=hub href=http://h/>"
NOTHING = Head(base=None, related=())


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(b'<html><head><link rel="hub" href="http://h/"></head>', id="plain"),
        pytest.param(b"<link rel=hub href=http://h/>", id="no head, no quotes"),
        pytest.param(b"<HEAD><LINK REL='Hub' HREF='http://h/'></HEAD>", id="upper case"),
        pytest.param(b"<link\n  href=' http://h/\n'\trel=\nhub\n>", id="white space"),
        pytest.param(b"<head><link rel=hub href=http://h/ <title>x", id="broken markup"),
        pytest.param(b"<title>a <b> & c</title><link rel=hub href=http://h/>", id="after a title"),
        pytest.param(b"</div></p></head-><head>" + LINK, id="stray end tags"),
        pytest.param(b"<head><noscript><img src=x></noscript>" + LINK, id="after noscript"),
        pytest.param(b"<head><template><p>x</template>" + LINK, id="after a template"),
        pytest.param(b"\xef\xbb\xbf<!-- x --><!doctype html>\n\n" + LINK, id="after a comment"),
        pytest.param(b'<head><link rel=hub href="http://&#104;&#x2F;">', id="entities"),
        pytest.param(b"<link rel=hub href=http://h/ href=http://x/ rel=self>", id="repeated"),
        pytest.param(LINK.decode().encode("utf-16"), id="UTF-16"),
        pytest.param(
            b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "a" "b"><html '
            b'xmlns="http://www.w3.org/1999/xhtml"><head><title/><script src="x"/>'
            b'<link rel="hub" href="http://h/"/></head></html>',
            id="XHTML",
        ),
    ],
)
def test_a_link_of_the_head_is_found(page: bytes) -> None:
    assert read_head(page, HTML) == Head(base=None, related=(HUB,))


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(b"<html><head></head><body>", id="in the body"),
        pytest.param(b"<body>", id="in a body without a head"),
        pytest.param(b"<body><head>", id="in a head within the body"),
        pytest.param(b"<p>", id="after what only a body has"),
        pytest.param(b"<head><svg>", id="in a drawing"),
        pytest.param(b"<head><x-y>", id="in an unknown element"),
        pytest.param(b"<head><x-y></x-y>", id="after an unknown element"),
        pytest.param(b"<head>text", id="after text"),
        pytest.param(b"<head>&nbsp;", id="after a space that does not break"),
        pytest.param(b"<head><title>x</title></head>", id="after the head"),
        pytest.param(b"<!-- ", id="in a comment"),
        pytest.param(b"<!--[if IE]>", id="in a conditional comment"),
        pytest.param(b"<head><noscript>", id="in noscript"),
        pytest.param(b"<head><noscript><p>", id="deeper in noscript"),
        pytest.param(b"<head><template>", id="in a template"),
        pytest.param(b"<head><template><template></template>", id="in an outer template"),
        pytest.param(b"<head><title>", id="in a title"),
        pytest.param(b"<head><script>", id="in a script"),
        pytest.param(b"<head><style>", id="in a style sheet"),
        pytest.param(b"<head><noframes>", id="in noframes"),
        pytest.param(b"<head><textarea>", id="in a text field"),
        pytest.param(b"<head><meta content='", id="in an attribute"),
        pytest.param(b"<meta>" * (HEAD_MAX_BYTES // 6), id="beyond the bound"),
        pytest.param(b" " * (HEAD_MAX_BYTES - 24), id="across the bound"),
    ],
)
def test_a_link_elsewhere_does_not_count(before: bytes) -> None:
    assert read_head(before + LINK, HTML) == NOTHING


def test_each_relation_of_a_link_is_there_by_itself() -> None:
    page = b"<link rel='self\n HUB' href=a><link rel=next href=b><link rel=hub><link href=c>"
    expected = (("self", "a"), ("hub", "a"), ("next", "b"))
    assert read_head(page, HTML) == Head(base=None, related=expected)


def test_the_first_base_with_an_address_counts_wherever_it_stands_in_the_head() -> None:
    page = LINK + b"<base target=_top><base href=/a/><base href=/b/><body><base href=/c/>"
    assert read_head(page, HTML) == Head(base="/a/", related=(HUB,))


@pytest.mark.parametrize(
    ("page", "content_type", "expected"),
    [
        pytest.param("<link rel=self href=é>".encode("latin-1"), "text/html", "é", id="none"),
        pytest.param(
            b"<link rel=self href=\xc3\xa9>", "text/html; charset=UTF-8", "é", id="by header"
        ),
        pytest.param(
            b"<meta charset=utf-8><link rel=self href=\xc3\xa9>", "text/html", "é", id="by meta"
        ),
        pytest.param(
            b"<meta charset=latin1><link rel=self href=\xc3\xa9>",
            "text/html; charset='utf8'",
            "é",
            id="the header before meta",
        ),
        pytest.param(
            b"\xef\xbb\xbf<link rel=self href=\xc3\xa9>",
            "text/html; charset=latin1",
            "é",
            id="a byte order mark before the header",
        ),
        pytest.param(
            b"<link rel=self href=a>", "text/html; charset=no-such", "a", id="an unknown one"
        ),
    ],
)
def test_characters_are_read_as_the_page_says(
    page: bytes, content_type: str, expected: str
) -> None:
    assert read_head(page, content_type).related == (("self", expected),)


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"x", "text/html", True),
        (b"x", " Text/HTML ;charset=utf-8", True),
        (b"x", "application/xhtml+xml", True),
        (b"<!doctype html>", "text/plain", False),
        (b"<!doctype html>", "application/xml", False),
        (b" <!-- a -->\n<!DOCTYPE html>", "", True),
        (b"<?xml version='1.0'?><html lang=x>", "", True),
        (b"<HEAD>", "", True),
        (b"<header>", "", False),
        (b"a page about html", "", False),
        (b"x" * 1024 + b"<html>", "", False),
        (b"", "", False),
    ],
)
def test_a_page_is_what_says_so_or_else_looks_so(
    body: bytes, content_type: str, *, expected: bool
) -> None:
    assert is_html(body, content_type) is expected


PIECES = ["<", ">", "link ", "rel=hub ", "href=", "/", "'", "<!--", "-->", "<head>", "</head>"]
PIECES += ["<title>", "<script>", "<template>", "<noscript>", "\0", "&#0;", "é", "<base href=", " "]


@given(st.lists(st.sampled_from(PIECES)).map("".join), st.sampled_from(["utf-8", "utf-16"]))
def test_no_page_raises(page: str, encoding: str) -> None:
    read_head(page.encode(encoding), HTML)


@given(st.binary(), st.sampled_from([HTML, "text/html; charset=utf-8", ""]))
def test_no_bytes_raise(page: bytes, content_type: str) -> None:
    read_head(page, content_type)


@pytest.mark.parametrize(
    "part",
    [
        b"<template>",
        b"<noscript><p>",
        b"<template><table><tr><td>",
        b"<head>",
        b"<link ",
        b"<link rel=hub href='",
        b"<link rel=hub href=a>",
        b"<meta a='&amp;",
        b"<!--",
        b"<!",
        b"<?",
        b"</",
        b"<title></titl",
        b"<script><!--<script>",
        b"-",
        b" ",
        b"\0",
        b"\xff",
    ],
)
def test_a_hostile_page_of_10_mb_is_read_at_once(part: bytes) -> None:
    page = b"<head>" + part * (10_000_000 // len(part))
    started_s = time.process_time()
    read_head(page, HTML)
    assert time.process_time() - started_s < 1


@pytest.mark.parametrize("opening", [b"<link rel='", b"<link a='", b"<title>", b"<!--", b"<a"])
def test_a_hostile_token_of_10_mb_is_read_at_once(opening: bytes) -> None:
    page = opening + b"hub " * 2_500_000
    started_s = time.process_time()
    read_head(page, HTML)
    assert time.process_time() - started_s < 1


def test_attributes_without_end_are_read_at_once() -> None:
    page = b"<link " + b" ".join(b"a%d=1" % number for number in range(1_000_000)) + b">"
    started_s = time.process_time()
    read_head(page, HTML)
    assert time.process_time() - started_s < 1
