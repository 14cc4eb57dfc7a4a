"""What a delivery carries, and what the answer to it means (WebSub 7, 7.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.protocol.delivery import (
    Delivered,
    Failed,
    Gone,
    delivery_headers,
    judge_delivery,
    link_header,
    sign,
    signature_headers,
)
from hub.protocol.requests import SignatureMethod

NOW_S = 784_111_767.5  # 9.5 s before the date below
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
BODY = b"Hi There"
# RFC 4231 4.2 (test case 1), with RFC 2202 for SHA-1.
KEY = b"\x0b" * 20
SHA1 = "sha1=b617318655057264e28bc0b6fb378c8ef146be00"
SHA256 = "sha256=b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206, 299])
def test_2xx_is_delivered(status: int) -> None:
    assert judge_delivery(status, (), now_s=NOW_S) == Delivered()


def test_410_ends_the_subscription() -> None:
    assert judge_delivery(410, (("retry-after", "5"),), now_s=NOW_S) == Gone()


@pytest.mark.parametrize(
    "status", [100, 199, 300, 301, 302, 307, 308, 400, 404, 429, 500, 503, 999]
)
def test_anything_else_failed(status: int) -> None:
    expected = Failed(detail=f"status {status}", retry_after_s=None)
    assert judge_delivery(status, (("location", "http://a/"),), now_s=NOW_S) == expected


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [
        pytest.param("120", 120, id="seconds"),
        pytest.param(" 120 ", 120, id="seconds in white space"),
        pytest.param("0", 0, id="at once"),
        pytest.param("86401", 86_400, id="more than a day"),
        pytest.param("9" * 5000, 86_400, id="more than int reads"),
        pytest.param(DATE, 10, id="a date"),
        pytest.param("Sunday, 06-Nov-94 08:49:37 GMT", 10, id="an old date"),
        pytest.param("Sun Nov  6 08:49:37 1994", 10, id="a date of C"),
        pytest.param("Sun, 06 Nov 1993 08:49:37 GMT", 0, id="a date gone by"),
        pytest.param("Sun, 06 Nov 2094 08:49:37 GMT", 86_400, id="a date far off"),
        pytest.param("-5", None, id="negative"),
        pytest.param("1.5", None, id="fraction"),
        pytest.param("soon", None, id="a word"),
        pytest.param("", None, id="nothing"),
        pytest.param("Sun, 06 Nov 99999 08:49:37 GMT", None, id="an impossible year"),
    ],
)
def test_retry_after_is_honoured_up_to_a_day(value: str, wait_s: int | None) -> None:
    headers = (("server", "x"), ("retry-after", value))
    expected = Failed(detail="status 503", retry_after_s=wait_s)
    assert judge_delivery(503, headers, now_s=NOW_S) == expected


@given(st.integers(100, 999), st.text())
def test_no_answer_raises(status: int, retry_after: str) -> None:
    match judge_delivery(status, (("retry-after", retry_after),), now_s=NOW_S):
        case Failed(retry_after_s=int(wait_s)):
            assert 0 <= wait_s <= 86_400
        case _:
            pass


def test_the_link_header_has_the_form_that_a_test_suite_reads() -> None:
    assert (
        link_header(["https://h.example/", "https://i.example/"], "http://t.example/é")
        == '<https://h.example/>; rel="hub", <https://i.example/>; rel="hub", '
        '<http://t.example/%C3%A9>; rel="self"'
    )


def test_a_link_cannot_break_out_of_its_brackets() -> None:
    assert link_header(["http://h/"], 'http://t/>; rel="x') == (
        '<http://h/>; rel="hub", <http://t/%3E;%20rel=%22x>; rel="self"'
    )


@pytest.mark.parametrize(
    ("method", "signature"),
    [
        (SignatureMethod.SHA1, SHA1),
        (SignatureMethod.SHA256, SHA256),
        (
            SignatureMethod.SHA384,
            "sha384=afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
            "faea9ea9076ede7f4af152e8b2fa9cb6",
        ),
        (
            SignatureMethod.SHA512,
            "sha512=87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
            "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
        ),
    ],
)
def test_signatures_are_the_published_ones(method: SignatureMethod, signature: str) -> None:
    assert sign(method, KEY, BODY) == signature


def headers(*, content_type: str = "a/b") -> tuple[tuple[str, str], ...]:
    return delivery_headers(content_type=content_type, link="LINK", webhook_id="1-0..2-0")


def test_all_deliveries_of_a_body_say_what_it_is_and_whose() -> None:
    assert headers() == (("Content-Type", "a/b"), ("Link", "LINK"), ("webhook-id", "1-0..2-0"))


@pytest.mark.parametrize(
    ("method", "signature"), [(SignatureMethod.SHA256, SHA256), (SignatureMethod.SHA1, SHA1)]
)
def test_whatever_the_method_sha256_is_sent_besides(
    method: SignatureMethod, signature: str
) -> None:
    assert signature_headers(method, KEY, BODY) == (
        ("X-Hub-Signature", signature),
        ("X-Hub-Signature-256", SHA256),
    )


@pytest.mark.parametrize(
    "content_type", ["text/html; charset=UTF-8", 'application/ld+json; profile="x"']
)
def test_the_content_type_is_verbatim(content_type: str) -> None:
    assert headers(content_type=content_type)[0] == ("Content-Type", content_type)


def test_a_topic_without_content_type_is_an_octet_stream() -> None:
    assert headers(content_type="")[0] == ("Content-Type", "application/octet-stream")
