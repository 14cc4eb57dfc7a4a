"""One delivery that arrived, and how it is shown."""

import json

import pytest

from hub.commands.arrival import Arrival, as_json, as_text, signature_verdict, titles
from hub.protocol.delivery import sign
from hub.protocol.requests import SignatureMethod

ENTRIES = "".join(f"<item><title>T{number}\x1b[2J</title></item>" for number in range(25))
RSS = f"<rss version='2.0'><channel>{ENTRIES}</channel></rss>".replace("\x1b", "&#155;").encode()


def arrival(body: bytes = b"body", **headers: str) -> Arrival:
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Arrival(at_s=0.0, headers=pairs, body=body)


@pytest.mark.parametrize("method", list(SignatureMethod))
def test_a_signature_is_checked_with_its_own_method(method: SignatureMethod) -> None:
    signed = arrival(x_hub_signature=sign(method, b"s", b"body"))
    assert signature_verdict(signed, b"s") == f"ok ({method})"
    assert signature_verdict(signed, b"other").startswith("BAD")
    assert signature_verdict(signed, b"").startswith("BAD")


@pytest.mark.parametrize(
    ("signature", "verdict"),
    [
        ("", "BAD (missing)"),
        ("md5=00", "BAD (unknown method)"),
        ("sha256=", "BAD (sha256)"),
        ("é", "BAD (unknown method)"),
        ("sha1=é", "BAD (sha1)"),
    ],
)
def test_what_does_not_verify_is_bad(signature: str, verdict: str) -> None:
    assert signature_verdict(arrival(x_hub_signature=signature), b"s") == verdict


def test_a_signature_nobody_can_have_agreed_on_is_bad() -> None:
    signed = arrival(x_hub_signature=sign(SignatureMethod.SHA256, b"", b"body"))
    assert signature_verdict(signed, b"") == "BAD (sha256)"


def test_without_secret_and_signature_there_is_nothing_to_say() -> None:
    assert signature_verdict(arrival(), b"") == "none"


def test_a_block_names_what_came_and_cannot_steer_the_terminal() -> None:
    came = arrival(RSS, content_type="application/rss+xml", webhook_id="1-0..2-0\x1b[2J")
    lines = as_text(came, "ok (sha256)", titles(came)).splitlines()
    assert lines[0].endswith("  1-0..2-0 [2J")
    assert lines[1] == f"  application/rss+xml, {len(RSS):,} bytes, signature ok (sha256)"
    assert lines[2].startswith("  * T0")
    assert lines[-1] == "  ... and 5 more"
    assert len(lines) == 23
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"/etc/passwd", b"x" * 2_000_000])
def test_what_is_no_feed_has_no_titles(body: bytes) -> None:
    assert titles(arrival(body)) == ()


def test_json_holds_text_as_text_and_the_rest_in_base64() -> None:
    line = as_json(arrival("é\n".encode(), webhook_id="1-0", link="a"), "none")
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00+00:00",
        "webhook_id": "1-0",
        "signature": "none",
        "headers": {"webhook-id": "1-0", "link": "a"},
        "body": "é\n",
    }
    assert json.loads(as_json(arrival(b"\xff"), "none"))["body_base64"] == "/w=="
