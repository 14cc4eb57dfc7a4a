import pytest

from hub.outbound.response import ABORT, Acknowledged, Excess, Received, headers_of

OK = [b"HTTP/1.1 200 OK\r\n", b"A: 1\r\n", b"\r\n"]


@pytest.mark.parametrize(
    ("lines", "headers"),
    [
        pytest.param([], None, id="nothing came"),
        pytest.param(OK[:2], None, id="a head that isn't complete"),
        pytest.param(OK, (("a", "1"),), id="a complete head"),
        pytest.param([*OK, b"T: 9\r\n", b"\r\n"], (("a", "1"),), id="a trailer is no header"),
        pytest.param([b"HTTP/1.1 100 Continue\r\n", b"\r\n"], None, id="only an interim response"),
        pytest.param(
            [b"HTTP/1.1 103 Early Hints\r\n", b"Link: x\r\n", b"\r\n", *OK],
            (("a", "1"),),
            id="an interim response first",
        ),
        pytest.param(
            [b"HTTP/1.1 200\r\n", b"X-Y:\t\xe9 : b \r\n", b"X-y:\r\n", b"\r\n"],
            (("x-y", "é : b"), ("x-y", "")),
            id="latin-1, repeated, empty",
        ),
        pytest.param([b"HTTP/\r\n", b"\r\n"], (), id="a status line without a status"),
    ],
)
def test_the_headers_of_the_final_response_are_found(
    lines: list[bytes], headers: tuple[tuple[str, str], ...] | None
) -> None:
    assert headers_of(lines) == headers


def test_a_body_is_cut_at_its_bound() -> None:
    received = Received(header_max_bytes=100)
    received.begin(5)
    assert received.take_body(b"abc") is None
    assert received.take_body(b"de") is None
    assert received.take_body(b"fgh") == ABORT
    assert received.excess is Excess.BODY
    assert received.body() == b"abcde"
    received.begin(3)
    assert received.take_body(b"abc") is None
    assert received.body() == b"abc"
    assert [received.excess] == [None]


def test_a_header_beyond_its_bound_ends_the_transfer() -> None:
    received = Received(header_max_bytes=6)
    assert received.take_header(b"A: 1\r\n") is None
    assert received.take_header(b"\r\n") == ABORT
    assert received.excess is Excess.HEADERS
    received.begin(5)
    assert received.take_header(b"A: 1\r\n") is None
    assert received.headers() is None
    assert [received.excess] == [None]


@pytest.mark.parametrize(
    ("lines", "body", "status", "is_complete"),
    [
        pytest.param([], b"", 0, False, id="nothing came"),
        pytest.param(OK[:2], b"", 200, False, id="a head that isn't complete"),
        pytest.param(OK, b"", 200, True, id="a complete head"),
        pytest.param([b"HTTP/1.1 103\r\n", b"\r\n"], b"", 103, False, id="an interim response"),
        pytest.param(
            [b"HTTP/1.1 103\r\n", b"\r\n", *OK[:1]], b"", 200, False, id="and half of the final one"
        ),
        pytest.param([*OK, b"T: 9\r\n"], b"x", 200, True, id="broken off among trailers"),
    ],
)
def test_an_acknowledgement_is_whether_the_head_of_a_final_response_came(
    lines: list[bytes], body: bytes, status: int, *, is_complete: bool
) -> None:
    acknowledged = Acknowledged()
    for line in lines:
        acknowledged.take_header(line)
    if body:
        assert acknowledged.take_body(body) == ABORT
        assert acknowledged.excess is Excess.BODY
    assert acknowledged.is_head_complete(status) is is_complete
    acknowledged.begin(1)
    assert not acknowledged.is_head_complete(status)
    assert acknowledged.excess is None
