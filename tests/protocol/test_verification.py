"""What a callback is asked before a subscription changes, and its answer (WebSub 5.2, 5.3)."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from hub.protocol.requests import Mode
from hub.protocol.verification import (
    Confirmed,
    Refused,
    denial_url,
    judge_verification,
    verification_url,
)

TOPIC = "http://publisher.example/f?a=1&b=é %20"
TOPIC_ENCODED = "http%3A%2F%2Fpublisher.example%2Ff%3Fa%3D1%26b%3D%C3%A9%20%2520"
ADDED = f"hub.mode=subscribe&hub.topic={TOPIC_ENCODED}&hub.challenge=C-_1&hub.lease_seconds=3600"


def asked(callback: str, *, mode: Mode = Mode.SUBSCRIBE, verify_token: str | None = None) -> str:
    return verification_url(
        callback,
        mode=mode,
        topic=TOPIC,
        challenge="C-_1",
        lease_s=3600,
        verify_token=verify_token,
    )


@pytest.mark.parametrize(
    ("callback", "kept"),
    [
        pytest.param("http://s/cb", "http://s/cb?", id="no query"),
        pytest.param("http://s", "http://s?", id="no path"),
        pytest.param("http://s/cb?", "http://s/cb?", id="an empty query"),
        pytest.param(
            "http://s/%7Ex//a%2Fb?foo=bar&red=fish&a=%2F&b=c+d&e&f=",
            "http://s/%7Ex//a%2Fb?foo=bar&red=fish&a=%2F&b=c+d&e&f=&",
            id="a query byte for byte",
        ),
        pytest.param(
            "http://s/?hub.challenge=mine&hub.mode=x",
            "http://s/?hub.challenge=mine&hub.mode=x&",
            id="its own hub parameters",
        ),
        pytest.param("http://s/é?ü", "http://s/%C3%A9?%C3%BC&", id="characters outside ASCII"),
        pytest.param("http://s/?a=b?c", "http://s/?a=b?c&", id="a second question mark"),
    ],
)
def test_parameters_come_after_what_the_callback_has(callback: str, kept: str) -> None:
    assert asked(callback) == kept + ADDED


def test_the_topic_is_echoed_character_for_character() -> None:
    query = dict(parse_qsl(urlsplit(asked("http://s/")).query))
    assert query["hub.topic"] == TOPIC


def test_an_unsubscription_carries_no_lease() -> None:
    url = asked("http://s/", mode=Mode.UNSUBSCRIBE)
    assert "hub.mode=unsubscribe&" in url
    assert "lease" not in url


@pytest.mark.parametrize(("token", "echo"), [("a b&", "a%20b%26"), ("", "")])
def test_a_verify_token_is_echoed(token: str, echo: str) -> None:
    assert asked("http://s/", verify_token=token).endswith(f"&hub.verify_token={echo}")


def test_a_denial_names_topic_and_reason() -> None:
    assert (
        denial_url("http://s/?a=b", "http://t/", "not here")
        == "http://s/?a=b&hub.mode=denied&hub.topic=http%3A%2F%2Ft%2F&hub.reason=not%20here"
    )
    assert "reason" not in denial_url("http://s/", "http://t/", "")


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_with_the_challenge_confirms(status: int) -> None:
    assert judge_verification(status, b"C1", "C1", json_quotes_allowed=False) == Confirmed()


@pytest.mark.parametrize("status", [199, 300, 301, 302, 307, 400, 404, 410, 500, 503])
def test_any_other_status_refuses_even_with_the_challenge(status: int) -> None:
    expected = Refused(detail=f"expected a 2xx status and the challenge, came status {status}")
    assert judge_verification(status, b"C1", "C1", json_quotes_allowed=True) == expected


@pytest.mark.parametrize(
    "body", [b"", b"wrong", b"C1x", b"C1\n", b" C1", b'"C1"', b"c1", b"<p>C1</p>", b"\xff"]
)
def test_any_other_body_refuses_and_both_are_shown(body: bytes) -> None:
    answer = judge_verification(200, body, "C1", json_quotes_allowed=False)
    assert isinstance(answer, Refused)
    assert answer.detail.startswith("expected the body 'C1', came ")
    assert answer.detail.isascii()


def test_a_long_body_is_shown_in_part() -> None:
    answer = judge_verification(200, b"x" * 5000, "C1", json_quotes_allowed=False)
    assert answer == Refused(detail=f"expected the body 'C1', came '{'x' * 80}' ... (5000 bytes)")


@pytest.mark.parametrize("body", [b"C1", b'"C1"'])
def test_a_setting_takes_json_quotes(body: bytes) -> None:
    assert judge_verification(200, body, "C1", json_quotes_allowed=True) == Confirmed()


def test_json_quotes_with_anything_around_them_are_refused() -> None:
    answer = judge_verification(200, b'"C1"\n', "C1", json_quotes_allowed=True)
    assert isinstance(answer, Refused)
