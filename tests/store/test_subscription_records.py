"""What a roster holds of one subscription, as it was always written."""

import pytest

from hub.protocol.requests import Content, SignatureMethod
from hub.store.subscription import Subscription, unpack_subscription

LEASE_END_MS = 1_800_000_000_000


@pytest.mark.parametrize(
    ("written", "content"),
    [(0, None), (1, Content.ENTRIES), (2, Content.FULL)],
    ids=["not asked", "entries", "full"],
)
def test_a_record_is_read_as_every_version_wrote_it(written: int, content: Content | None) -> None:
    head = b"\x01" + LEASE_END_MS.to_bytes(8, "big") + bytes([1, written, 6])
    assert unpack_subscription(head + b"secret" + b"http://s.example/") == Subscription(
        callback="http://s.example/",
        secret=b"secret",
        lease_end_ms=LEASE_END_MS,
        signature=SignatureMethod.SHA256,
        content=content,
    )
