"""When what failed is tried again (WebSub 7 leaves the limits to the hub)."""

_MINUTE_S = 60.0
_HOUR_S = 3600.0
DELIVERY_DELAYS_S = (
    5.0,
    30.0,
    2 * _MINUTE_S,
    10 * _MINUTE_S,
    30 * _MINUTE_S,
    2 * _HOUR_S,
    5 * _HOUR_S,
    10 * _HOUR_S,
    12 * _HOUR_S,
)
FETCH_DELAYS_S = (10.0, _MINUTE_S, 5 * _MINUTE_S, 30 * _MINUTE_S, _HOUR_S)
JITTER = 0.2


def delay_s(attempts: int, sample: float) -> float:
    """Return how long to wait before a delivery is tried again; the last delay repeats.

    Args:
        attempts: how many have failed in a row, from 1.
        sample: a random number in [0, 1), which moves the delay by up to 20 % either way, so that
            those who failed together do not come back together.
    """
    return _nth(DELIVERY_DELAYS_S, attempts) * (1 - JITTER + 2 * JITTER * sample)


def fetch_delay_s(failures: int) -> float:
    """Return how long to wait after a number of failed fetches in a row, from 1, of a topic."""
    return _nth(FETCH_DELAYS_S, failures)


def _nth(delays_s: tuple[float, ...], attempts: int) -> float:
    return delays_s[min(max(attempts, 1), len(delays_s)) - 1]
