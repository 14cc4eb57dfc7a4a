"""How long a subscription is granted for (WebSub 5.1, 5.3.1)."""

import re
from dataclasses import dataclass

_POSITIVE = re.compile(r"0*([1-9][0-9]*)", re.ASCII)
_MAX_DIGITS = 15  # beyond any bound, and far below what int() refuses to read


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseBounds:
    """The lease for who names none, and the least and most that is granted to who does."""

    default_s: int
    min_s: int
    max_s: int


def granted_lease_s(asked: str | None, bounds: LeaseBounds) -> int | None:
    """Return the lease to announce and enforce, None where `asked` is no positive integer.

    WebSub 5.1: "Hubs MAY choose to respect this value or not, depending on their own policies".
    WebSub 5.3.1: "Hubs MUST enforce lease expirations, and MUST NOT issue perpetual lease
    durations".
    """
    if not asked:
        return bounds.default_s
    match = _POSITIVE.fullmatch(asked)
    if match is None:
        return None
    if len(match[1]) > _MAX_DIGITS:
        return bounds.max_s
    return min(max(int(match[1]), bounds.min_s), bounds.max_s)
