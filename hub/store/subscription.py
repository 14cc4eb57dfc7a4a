"""One subscription as a bucket's roster holds it: packed by settle_request.lua, read here."""

import struct
from typing import NamedTuple

from hub.protocol.requests import Content, SignatureMethod

SIGNATURES = (
    SignatureMethod.SHA1,
    SignatureMethod.SHA256,
    SignatureMethod.SHA384,
    SignatureMethod.SHA512,
)
CONTENTS = (None, Content.ENTRIES, Content.FULL)
# version, lease end in ms, signature, content, length of the secret; then secret and callback
_HEAD = struct.Struct(">BQBBB")


class Subscription(NamedTuple):
    """Where deliveries go and how they are signed.

    Attributes:
        lease_end_ms: when it ends, by Redis's clock.
        content: None for what is usual for the topic's format.
    """

    callback: str
    secret: bytes
    lease_end_ms: int
    signature: SignatureMethod
    content: Content | None


def unpack_subscription(raw: bytes) -> Subscription:
    """Returns the subscription of a roster record."""
    _, lease_end_ms, signature, content, secret_bytes = _HEAD.unpack_from(raw)
    callback_from = _HEAD.size + secret_bytes
    return Subscription(
        raw[callback_from:].decode(),
        raw[_HEAD.size : callback_from],
        lease_end_ms,
        SIGNATURES[signature],
        CONTENTS[content],
    )
