"""When what failed is tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.protocol.retry import delay_s, fetch_delay_s


def test_deliveries_are_tried_again_at_growing_delays_and_then_every_12_hours() -> None:
    middle = [round(delay_s(attempts, 0.5)) for attempts in range(1, 12)]
    assert middle == [
        5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 43_200, 43_200, 43_200,
    ]  # fmt: skip


def test_jitter_is_a_fifth_either_way() -> None:
    assert delay_s(1, 0.0) == pytest.approx(4.0)
    assert delay_s(1, 1.0) == pytest.approx(6.0)


def test_fetches_are_tried_again_at_growing_delays_and_then_hourly() -> None:
    assert [fetch_delay_s(failures) for failures in range(1, 7)] == [
        10,
        60,
        300,
        1_800,
        3_600,
        3_600,
    ]


@given(st.integers(), st.floats(0, 1, exclude_max=True))
def test_no_count_waits_for_nothing_or_for_ever(attempts: int, sample: float) -> None:
    assert 4.0 <= delay_s(attempts, sample) <= 14.4 * 3600
    assert 10.0 <= fetch_delay_s(attempts) <= 3600
