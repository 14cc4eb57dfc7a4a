"""When a subscriber asks its hub again, so that its subscription lasts (WebSub 5.3.1)."""

import math
from dataclasses import dataclass, replace

# The last fifth of a lease is for a hub that is away when it should be renewed.
RENEWED_AFTER = 0.8
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1, 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """What is to be done next about a subscription, and when; instants are seconds since 1970.

    Attributes:
        ask_at_s: when the hub is asked (again).
        is_unverified: the hub was asked, and has not verified yet.
        ends_at_s: when the lease ends; infinite where none is running.
        failures: how often asking has failed in a row.
    """

    ask_at_s: float = 0
    is_unverified: bool = False
    ends_at_s: float = math.inf
    failures: int = 0

    @property
    def next_at_s(self) -> float:
        """Return when something is to be done."""
        return min(self.ask_at_s, self.ends_at_s)


def asked(renewal: Renewal, now_s: float, *, verified_within_s: float) -> Renewal:
    """Return what comes next while the hub is asked: its verification has so many seconds."""
    return replace(renewal, ask_at_s=now_s + verified_within_s, is_unverified=True)


def failed(renewal: Renewal, now_s: float) -> Renewal:
    """Return what comes next after a failure: another try, after a pause that doubles."""
    return replace(
        renewal,
        ask_at_s=now_s + pause_s(renewal),
        is_unverified=False,
        failures=renewal.failures + 1,
    )


def pause_s(renewal: Renewal) -> int:
    """Return how long is waited after the next failure."""
    # The bound on the exponent keeps the number small for who fails for years.
    return min(FIRST_PAUSE_S << min(renewal.failures, 30), LONGEST_PAUSE_S)


def confirmed(lease_s: int | None, now_s: float) -> Renewal:
    """Return what comes next after a verification.

    Args:
        lease_s: as it announced; without one there is nothing to renew.
        now_s: when it came.
    """
    if not lease_s:
        return Renewal(ask_at_s=math.inf)
    return Renewal(ask_at_s=now_s + RENEWED_AFTER * lease_s, ends_at_s=now_s + lease_s)


def ended(renewal: Renewal) -> Renewal:
    """Return what comes next once the lease has ended: asking goes on as it was."""
    return replace(renewal, ends_at_s=math.inf)
