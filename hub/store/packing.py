"""Lists of byte strings as one script argument: a count, then each with its length in front."""

import struct
from collections.abc import Sequence

_LENGTH = struct.Struct(">I")


def pack_list(items: Sequence[str | bytes]) -> bytes:
    """Returns the items as lua/append.lua reads them."""
    parts = [_LENGTH.pack(len(items))]
    for item in items:
        raw = item.encode() if isinstance(item, str) else item
        parts += [_LENGTH.pack(len(raw)), raw]
    return b"".join(parts)
