"""What a delivery carries, and what the answer to it means (WebSub 7, 7.1)."""

import hmac
import math
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from hub.protocol.requests import SignatureMethod
from hub.protocol.urls import wire_form

RETRY_AFTER_MAX_S = 24 * 3600
_GONE = 410
_DIGITS_MAX = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The receiver has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """The receiver wants no more: the subscription ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """To be tried again, not before `retry_after_s` where the receiver named a time."""

    detail: str
    retry_after_s: int | None


_DELIVERED = Delivered()


def judge_delivery(
    status: int, headers: Sequence[tuple[str, str]], *, now_s: float
) -> Delivered | Gone | Failed:
    """Return what the answer to a delivery means; its body means nothing.

    Args:
        status: of the first answer; redirects are not followed.
        headers: pairs with names in lower case.
        now_s: seconds since 1970, to which a Retry-After with a date is compared.
    """
    # WebSub 7: "The subscriber's callback URL MUST return an HTTP 2xx response code to indicate a
    # success." [...] "The hub MUST consider all other subscriber response codes as failures".
    if 200 <= status <= 299:
        return _DELIVERED
    # WebSub 7: a callback "MAY return an HTTP 410 code to indicate that the subscription has been
    # deleted, and the hub MAY terminate the subscription if it receives that code".
    if status == _GONE:
        return Gone()
    retry_after = next((value for name, value in headers if name == "retry-after"), None)
    return Failed(
        detail=f"status {status}",
        retry_after_s=None if retry_after is None else _wait_s(retry_after.strip(), now_s),
    )


def _wait_s(retry_after: str, now_s: float) -> int | None:
    """Return the seconds that a Retry-After asks for (RFC 9110 10.2.3), None if unreadable."""
    if retry_after.isascii() and retry_after.isdecimal():
        digits = retry_after.lstrip("0") or "0"
        return RETRY_AFTER_MAX_S if len(digits) > _DIGITS_MAX else _capped(int(digits))
    try:
        then_s = parsedate_to_datetime(retry_after).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return _capped(math.ceil(then_s - now_s))


def _capped(wait_s: int) -> int:
    return min(max(wait_s, 0), RETRY_AFTER_MAX_S)


def link_header(hubs: Sequence[str], self_url: str) -> str:
    """Return the one Link header of a delivery.

    WebSub 7: one rel=hub at least and one rel=self, and "The Hub SHOULD combine these headers into
    a single Link Header". The form, spaces included, is the one a test suite in wide use can read.
    """
    links = [f'<{wire_form(hub)}>; rel="hub"' for hub in hubs]
    return ", ".join([*links, f'<{wire_form(self_url)}>; rel="self"'])


def sign(method: SignatureMethod, secret: bytes, body: bytes) -> str:
    """Return the value of a signature header: `method=hex`, hex in lower case (WebSub 7.1)."""
    return method + "=" + hmac.digest(secret, body, method).hex()


def delivery_headers(
    *, content_type: str, link: str, webhook_id: str
) -> tuple[tuple[str, str], ...]:
    """Return the headers that the deliveries of one body have in common.

    Args:
        content_type: of the topic, verbatim; empty where it gave none.
        link: from `link_header`.
        webhook_id: the event's id, or `<from>..<to>` of a merged one.
    """
    return (
        ("Content-Type", content_type or "application/octet-stream"),
        ("Link", link),
        ("webhook-id", webhook_id),
    )


def signature_headers(
    method: SignatureMethod, secret: bytes, body: bytes
) -> tuple[tuple[str, str], ...]:
    """Return the headers by which one subscriber knows a delivery for its hub's (WebSub 7.1).

    Args:
        method: of X-Hub-Signature; X-Hub-Signature-256 is sent besides.
        secret: the subscription's.
        body: the very bytes that are sent.
    """
    signature = sign(method, secret, body)
    is_sha256 = method is SignatureMethod.SHA256
    sha256 = signature if is_sha256 else sign(SignatureMethod.SHA256, secret, body)
    return ("X-Hub-Signature", signature), ("X-Hub-Signature-256", sha256)
