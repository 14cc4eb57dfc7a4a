import pytest

from hub.outbound.target import BadUrl, Target, target_of


@pytest.mark.parametrize(
    ("url", "origin_form"),
    [
        ("http://h", "/"),
        ("http://h?x=1", "/?x=1"),
        ("http://h/?", "/?"),
        ("http://h/%7e/%7E/a%2fb//c/../d/./", "/%7e/%7E/a%2fb//c/../d/./"),
        ("http://h/p?a=%2F&b=c+d;e&f=", "/p?a=%2F&b=c+d;e&f="),
        ("http://h/p?u=http://o/?q", "/p?u=http://o/?q"),
        ("http://h/p#f?x", "/p"),
        ("http://h#f/p", "/"),
        ("http://h/%zz/\"<>[]{}|^`'!*()@:$,", "/%zz/\"<>[]{}|^`'!*()@:$,"),
        ("http://h/é?ü", "/%C3%A9?%C3%BC"),
    ],
)
def test_path_and_query_stay_as_they_are(url: str, origin_form: str) -> None:
    target = target_of(url)
    assert isinstance(target, Target)
    assert target.origin_form == origin_form
    assert "#" not in target.url


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://Host/x", ("http", "host", 80)),
        ("HTTPS://h:443/", ("https", "h", 443)),
        ("https://h/", ("https", "h", 443)),
        ("http://[::1]:8080/", ("http", "::1", 8080)),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: tuple[str, str, int]) -> None:
    target = target_of(url)
    assert isinstance(target, Target)
    assert target.origin == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "h/p",
        "//h/p",
        "/p",
        "ftp://h/",
        "file:///etc/passwd",
        "gopher://h/",
        "javascript:1",
        "http:",
        "http://",
        "http:///p",
        "http://:80/",
        "http://?x",
        "http://u@h/",
        "http://u:p@h/",
        "http://@h/",
        "http://h:x/",
        "http://h:99999/",
        "http://[::1/",
        "http://h\\@evil/",
        "http://h/a b",
        "http://h/a\r\nX: y",
        "http://h/\x00",
        "http://h/\x7f",
        " http://h/",
        "http://h/\t",
        "http://ünïcode/",
        "http://h/\ud800",
    ],
)
def test_what_is_no_plain_http_url_is_refused(url: str) -> None:
    assert isinstance(target_of(url), BadUrl)
