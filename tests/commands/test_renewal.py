"""When a subscriber asks its hub again."""

import math

from hub.commands import renewal
from hub.commands.renewal import Renewal


def test_a_new_subscriber_asks_at_once() -> None:
    assert Renewal().next_at_s == 0


def test_what_was_asked_has_time_to_be_verified() -> None:
    asked = renewal.asked(Renewal(), 100, verified_within_s=20)
    assert (asked.next_at_s, asked.is_unverified) == (120, True)


def test_a_lease_is_renewed_after_four_fifths_of_it() -> None:
    assert renewal.confirmed(1000, 100) == Renewal(ask_at_s=900, ends_at_s=1100)


def test_a_lease_that_was_not_named_is_not_renewed() -> None:
    assert renewal.confirmed(None, 100).next_at_s == math.inf
    assert renewal.confirmed(0, 100).next_at_s == math.inf


def test_pauses_double_up_to_five_minutes_and_a_success_forgets_them() -> None:
    state, pauses = renewal.confirmed(10, 0), []
    for _ in range(11):
        pauses.append(renewal.pause_s(state))
        state = renewal.failed(state, 50)
        assert state.ask_at_s == 50 + pauses[-1]
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert state.ends_at_s == 10
    assert renewal.confirmed(10, 60).failures == 0


def test_the_end_of_a_lease_comes_once_and_asking_goes_on() -> None:
    state = renewal.ended(renewal.failed(renewal.confirmed(1, 0), 2))
    assert (state.ends_at_s, state.ask_at_s, state.failures) == (math.inf, 3, 1)
