"""The only reader of the wall clock and the only source of chance; others take them as arguments.

`hub/outbound` measures its deadlines with a monotonic clock of its own.
"""

import random
import secrets
import time


def now_s() -> float:
    """Returns the time in seconds since 1970, UTC; it may jump when the machine's clock is set."""
    return time.time()


def monotonic_s() -> float:
    """Returns seconds since some fixed moment; never goes back, so deadlines are counted in it."""
    return time.monotonic()


def sample() -> float:
    """Returns an evenly spread number in [0, 1), for jitter; not fit for secrets."""
    return random.random()  # noqa: S311 - jitter needs no cryptography


def token_hex(size_bytes: int) -> str:
    """Returns that many unguessable bytes as lower-case hex digits, twice as many characters."""
    return secrets.token_hex(size_bytes)
