"""What a callback is asked before a subscription changes, and its answer (WebSub 5.2, 5.3)."""

from dataclasses import dataclass

from hub.protocol.forms import append_to_query
from hub.protocol.requests import Mode
from hub.protocol.urls import wire_form

_SHOWN_MAX = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """The callback echoed the challenge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The callback answered something else; `detail` says what was expected and what came."""

    detail: str


def verification_url(
    callback: str,
    *,
    mode: Mode,
    topic: str,
    challenge: str,
    lease_s: int,
    verify_token: str | None,
) -> str:
    """Return the URL to GET for a verification of intent, ready for the request line.

    Args:
        callback: exactly as the subscriber gave it; its own parameters stay and come first.
        mode: what is being verified.
        topic: exactly as in the request.
        challenge: random, single-use, of A-Z a-z 0-9 _ - only.
        lease_s: as granted; left out of an unsubscription.
        verify_token: None where the request had none.
    """
    fields = [("hub.mode", mode.value), ("hub.topic", topic), ("hub.challenge", challenge)]
    if mode is Mode.SUBSCRIBE:
        # WebSub 5.3: "Hubs MUST supply this parameter when hub.mode is set to "subscribe"."
        fields.append(("hub.lease_seconds", str(lease_s)))
    if verify_token is not None:
        fields.append(("hub.verify_token", verify_token))
    return append_to_query(wire_form(callback), fields)


def denial_url(callback: str, topic: str, reason: str) -> str:
    """Return the URL to GET so that a subscriber learns it was denied (WebSub 5.2)."""
    fields = [("hub.mode", "denied"), ("hub.topic", topic)]
    if reason:
        fields.append(("hub.reason", reason))
    return append_to_query(wire_form(callback), fields)


def judge_verification(
    status: int, body: bytes, challenge: str, *, json_quotes_allowed: bool
) -> Confirmed | Refused:
    """Return whether a callback's answer confirms the request (WebSub 5.3.1).

    Args:
        status: of the first answer; redirects are not followed.
        body: at least the first bytes, one more than the challenge in quotes has.
        challenge: as it was sent.
        json_quotes_allowed: also take the challenge in double quotes, as a CMS plugin sends it.
    """
    if not 200 <= status <= 299:
        return Refused(detail=f"expected a 2xx status and the challenge, came status {status}")
    expected = challenge.encode("ascii")
    if body == expected or (json_quotes_allowed and body == b'"%b"' % expected):
        return Confirmed()
    # WebSub 5.3.1: "If the subscriber returns an HTTP success (2xx) but the content body does not
    # match the hub.challenge parameter, the hub MUST also consider verification to have failed."
    # Read strictly: white space around it fails.
    shown = ascii(body[:_SHOWN_MAX].decode("utf-8", "replace"))
    more = f" ... ({len(body)} bytes)" if len(body) > _SHOWN_MAX else ""
    return Refused(detail=f"expected the body {challenge!r}, came {shown}{more}")
