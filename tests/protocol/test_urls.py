"""Which URLs are taken, how they are sent and what they are called (WebSub 5.1, 5.1.1)."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.protocol.urls import host_of, normalised, subscription_id, topic_id, url_fault, wire_form

MAX_BYTES = 100


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org",
        "https://example.org/",
        "HTTP://EXAMPLE.org:80/feed?a=1&b=%2F",
        "http://[2001:db8::1]:8080/",
        "http://127.0.0.1/",
        "http://exämple.org/é",
        "http://under_score.example/",
        "http://example.org:/",
        "http://example.org/a b?c=d e",
        "http://example.org/a,b;c|d{e}",
        "http://example.org?query",
    ],
)
def test_an_absolute_web_url_is_taken(url: str) -> None:
    assert url_fault(url, url_max_bytes=MAX_BYTES) is None


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        pytest.param("not a url", "absolute http", id="no scheme"),
        pytest.param("/feed", "absolute http", id="relative"),
        pytest.param("ftp://example.org/", "absolute http", id="ftp"),
        pytest.param("javascript:1", "absolute http", id="javascript"),
        pytest.param("file:///etc/passwd", "absolute http", id="file"),
        pytest.param("http:/example.org/", "absolute http", id="one slash"),
        pytest.param("http:///feed", "host", id="no host"),
        pytest.param("http://:80/", "host", id="port alone"),
        pytest.param("http://?a=b", "host", id="query alone"),
        pytest.param("http://example.org:0/", "port", id="port 0"),
        pytest.param("http://example.org:65536/", "port", id="port too high"),
        pytest.param("http://example.org:x/", "port", id="port in letters"),
        pytest.param("http://[::1/", "host", id="open bracket"),
        pytest.param("http://[fe80::1%25eth0]/", "host", id="zone id"),
        pytest.param("http://a..b/", "host", id="empty label"),
        pytest.param("http://%65xample.org/", "host", id="escaped host"),
        pytest.param("http://exa mple.org/", "host", id="space in host"),
        pytest.param("http://user@example.org/", "user name", id="user"),
        pytest.param("http://user:word@example.org/", "user name", id="password"),
        pytest.param("http://good.example\\@example.org/", "user name", id="backslash"),
        pytest.param("http://example.org/#", "fragment", id="empty fragment"),
        pytest.param("http://example.org/#a", "fragment", id="fragment"),
        pytest.param("http://example.org/\r\nX: y", "control", id="header injection"),
        pytest.param("http://exa\tmple.org/", "control", id="tab that urlsplit drops"),
        pytest.param(" http://example.org/", "white space", id="space before"),
        pytest.param("http://example.org/\u00a0", "white space", id="space after"),
        pytest.param("http://example.org/\ud800", "control", id="half a surrogate pair"),
        pytest.param("http://example.org/" + "a" * 82, "100 bytes", id="one byte too long"),
        pytest.param("http://example.org/" + "é" * 41, "100 bytes", id="too long in UTF-8"),
    ],
)
def test_what_is_no_address_on_the_web_is_refused(url: str, fault: str) -> None:
    assert fault in (url_fault(url, url_max_bytes=MAX_BYTES) or "")


def test_a_url_may_be_as_long_as_the_limit() -> None:
    url = "http://example.org/" + "a" * 81
    assert url_fault(url, url_max_bytes=MAX_BYTES) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org",
        "http://EXAMPLE.org:80/p/%7Ex/a%2fb//c/../d;e?foo=bar&a=%2F&b=c+d&e&f=",
        "http://example.org/a|b^c`{d}\\",
        "http://example.org?a",
    ],
)
def test_ascii_is_sent_byte_for_byte(url: str) -> None:
    assert wire_form(url) == url


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://example.org/é?ü=%2F", "http://example.org/%C3%A9?%C3%BC=%2F"),
        ("http://example.org/a b", "http://example.org/a%20b"),
        ('http://example.org/<"a">', "http://example.org/%3C%22a%22%3E"),
        ("http://exämple.org:8080/é", "http://xn--exmple-cua.org:8080/%C3%A9"),
        ("http://exämple.org", "http://xn--exmple-cua.org"),
        ("http://exämple.org?é", "http://xn--exmple-cua.org?%C3%A9"),
    ],
)
def test_what_a_request_line_cannot_hold_is_percent_encoded(url: str, sent: str) -> None:
    assert wire_form(url) == sent


@given(st.text().map(lambda path: f"http://example.org/{path}"))
def test_an_accepted_url_is_sent_as_printable_ascii(url: str) -> None:
    if url_fault(url, url_max_bytes=10_000) is None:
        sent = wire_form(url)
        assert sent.isascii()
        assert not set(sent) & set('<>" \r\n\t')
        assert wire_form(sent) == sent


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://a/%7Eb", "http://a/~b"),
        ("http://a/%41%2d%5f%2e", "http://a/A-_."),
        ("http://a/%2fb%3f", "http://a/%2Fb%3F"),
        ("http://a/%C3%a9", "http://a/%C3%A9"),
        ("http://a/%", "http://a/%"),
        ("http://a/%zz%257E", "http://a/%zz%257E"),
        ("HTTP://A:80/b//../", "HTTP://A:80/b//../"),
        ("http://a/é", "http://a/é"),
    ],
)
def test_normalising_decodes_unreserved_characters_and_nothing_else(url: str, key: str) -> None:
    assert normalised(url) == key


@given(st.text(alphabet="aZ09-._~"))
def test_escaping_an_unreserved_character_makes_no_other_topic(path: str) -> None:
    escaped = "".join(f"%{ord(character):02x}" for character in path)
    assert normalised(f"http://a/{escaped}") == f"http://a/{path}"


def test_topic_ids_are_22_url_safe_characters_of_the_exact_string() -> None:
    assert topic_id("http://a/~b") != topic_id("http://a/%7Eb")
    assert topic_id("http://a/~b") == topic_id("http://a/~b")
    assert len(topic_id("http://a/")) == 22
    assert "=" not in topic_id("http://a/")


def test_subscription_ids_keep_topic_and_callback_apart() -> None:
    one = subscription_id("http://a/", "http://b/")
    assert len(one) == 16
    assert one != subscription_id("http://b/", "http://a/")
    assert one != subscription_id("http://a/h", "ttp://b/")


def test_hosts_of_great_length_do_not_fill_the_memory() -> None:
    tracemalloc.start()
    try:
        for n in range(1_000):
            url = f"http://{n}{'.long' * 400}/"
            assert url_fault(url, url_max_bytes=2048) is None
            assert host_of(url) == f"{n}{'.long' * 400}"
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()
