"""How long a subscription is granted for (WebSub 5.1, 5.3.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.protocol.lease import LeaseBounds, granted_lease_s

BOUNDS = LeaseBounds(default_s=864_000, min_s=3_600, max_s=2_592_000)


@pytest.mark.parametrize(
    ("asked", "granted_s"),
    [
        pytest.param(None, 864_000, id="absent"),
        pytest.param("", 864_000, id="empty"),
        pytest.param("7200", 7_200, id="within bounds"),
        pytest.param("007200", 7_200, id="leading zeros"),
        pytest.param("1", 3_600, id="too short"),
        pytest.param("3600", 3_600, id="shortest"),
        pytest.param("2592001", 2_592_000, id="too long"),
        pytest.param("1" * 10_000, 2_592_000, id="longer than int reads"),
        pytest.param("0", None, id="zero"),
        pytest.param("-1", None, id="negative"),
        pytest.param("1.5", None, id="fraction"),
        pytest.param("1e9", None, id="exponent"),
        pytest.param(" 1", None, id="white space"),
        pytest.param("\u0663", None, id="digit of another script"),
        pytest.param("abc", None, id="letters"),
    ],
)
def test_the_lease_granted(asked: str | None, granted_s: int | None) -> None:
    assert granted_lease_s(asked, BOUNDS) == granted_s


@given(st.text())
def test_what_is_granted_lies_within_the_bounds(asked: str) -> None:
    granted_s = granted_lease_s(asked, BOUNDS)
    assert granted_s is None or BOUNDS.min_s <= granted_s <= BOUNDS.max_s
