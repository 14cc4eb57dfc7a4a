"""Signatures of deliveries (WebSub 7.1)."""

import hmac
import re

from conformance.exchange import Exchange

SHAPE = re.compile(r"(sha1|sha256|sha384|sha512)=([0-9a-f]+)")
HEX_DIGITS = {"sha1": 40, "sha256": 64, "sha384": 96, "sha512": 128}


def method_of(delivery: Exchange) -> str | None:
    """Returns the method that a delivery's signature names, whether or not it is a known one."""
    value = delivery.header("X-Hub-Signature")
    return value.partition("=")[0] if value else None


def is_signed_with(delivery: Exchange, secret: str) -> bool:
    """Whether a delivery carries a right signature; the case of the hex digits is left aside."""
    method, _, digest = (delivery.header("X-Hub-Signature") or "").partition("=")
    if method.lower() not in HEX_DIGITS:
        return False
    right = hmac.new(secret.encode(), delivery.body, method.lower()).hexdigest()
    return hmac.compare_digest(right.encode(), digest.lower().encode("utf-8", "surrogateescape"))
