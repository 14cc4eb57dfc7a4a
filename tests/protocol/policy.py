"""What a hub with default settings grants and refuses."""

from hub.protocol.lease import LeaseBounds
from hub.protocol.requests import RequestPolicy

POLICY = RequestPolicy(
    lease=LeaseBounds(default_s=864_000, min_s=3_600, max_s=2_592_000),
    signature=None,
    secret_refused=False,
    url_max_bytes=2_048,
)
