"""Whose failure it is: only what is the origin's own may hold its other callbacks (design 7)."""

import pytest

from hub.clock import monotonic_s
from hub.outbound.request import Reason
from hub.store.outcomes import Blame
from workers.blame import ORIGINS_MAX, Witness

ONE, TWO, THREE, FOUR, FIVE = (f"http://a.example/{number}" for number in range(1, 6))
ELSEWHERE = "http://b.example/1"


@pytest.fixture
def witness() -> Witness:
    return Witness(patience_s=0, at_once=lambda: 3)


def blame(
    witness: Witness, callback: str, reason: Reason | None, *, is_probe: bool = False
) -> Blame:
    """Of a request that was sent just now."""
    return witness.blame(callback, reason, sent_at_s=monotonic_s(), is_probe=is_probe)


@pytest.mark.parametrize("reason", [Reason.REFUSED, Reason.TLS, Reason.UNRESOLVED])
def test_without_a_connection_one_is_enough(witness: Witness, reason: Reason) -> None:
    assert blame(witness, ONE, reason) is Blame.UNREACHABLE


@pytest.mark.parametrize("reason", [None, Reason.TIMED_OUT, Reason.BROKEN, Reason.TOO_LONG])
def test_else_it_takes_three_callbacks(witness: Witness, reason: Reason | None) -> None:
    blames = [blame(witness, callback, reason) for callback in (ONE, ONE, ONE, TWO, THREE, ONE)]
    assert blames == [Blame.CALLBACK] * 4 + [Blame.FAILING] * 2


@pytest.mark.parametrize("reason", [Reason.BAD_URL, Reason.ADDRESS_BLOCKED])
def test_a_url_that_may_not_be_asked_is_its_own_fault(witness: Witness, reason: Reason) -> None:
    assert {blame(witness, c, reason) for c in (ONE, TWO, THREE)} == {Blame.CALLBACK}


def test_of_several_origins_each_is_judged_by_itself(witness: Witness) -> None:
    for callback in (ONE, TWO, ELSEWHERE, "http://a.example:8080/3", "https://a.example/3"):
        assert blame(witness, callback, None) is Blame.CALLBACK
    assert blame(witness, "HTTP://A.example?3", None) is Blame.FAILING


@pytest.mark.parametrize("reason", [None, Reason.REFUSED, Reason.TIMED_OUT])
def test_what_succeeded_since_it_was_sent_speaks_for_the_origin(
    witness: Witness, reason: Reason | None
) -> None:
    sent_at_s = monotonic_s()
    witness.hear_success([ONE])
    blames = {
        witness.blame(f"{TWO}{number}", reason, sent_at_s=sent_at_s, is_probe=False)
        for number in range(9)
    }
    assert blames == {Blame.CALLBACK}


def test_a_success_in_between_starts_the_count_anew(witness: Witness) -> None:
    blame(witness, ONE, None)
    blame(witness, TWO, None)
    witness.hear_success([ONE])
    assert blame(witness, THREE, None) is Blame.CALLBACK
    assert blame(witness, ONE, None) is Blame.CALLBACK
    assert blame(witness, TWO, None) is Blame.FAILING


def test_a_probe_that_gets_no_answer_needs_no_others_to_agree(witness: Witness) -> None:
    assert blame(witness, ONE, Reason.TIMED_OUT, is_probe=True) is Blame.FAILING
    assert blame(witness, ONE, None, is_probe=True) is Blame.CALLBACK


def test_it_forgets_those_it_knew_first(witness: Witness) -> None:
    blame(witness, ONE, None)
    blame(witness, TWO, None)
    for number in range(ORIGINS_MAX):
        blame(witness, f"http://{number}.example/", None)
    assert blame(witness, THREE, None) is Blame.CALLBACK


class TestSilence:
    """Whether all is silent that may be under way, so that nobody else would have a turn."""

    def left(self, witness: Witness, *callbacks: str) -> None:
        for callback in callbacks:
            witness.leave_silent(callback, begun_at_s=monotonic_s())

    def test_it_takes_three_that_are_silent_and_one_without_a_turn(self, witness: Witness) -> None:
        self.left(witness, ONE, TWO, TWO)
        assert witness.blame_for_no_turn(FOUR) is Blame.CALLBACK
        self.left(witness, THREE)
        assert witness.blame_for_no_turn(FOUR) is Blame.FAILING
        assert witness.is_silent(FOUR)

    def test_a_host_with_room_is_asked(self, witness: Witness) -> None:
        self.left(witness, ONE, TWO, THREE)
        assert not witness.is_silent(FOUR)

    def test_another_host_is_asked(self, witness: Witness) -> None:
        self.left(witness, ONE, TWO, THREE)
        witness.blame_for_no_turn(FOUR)
        assert not witness.is_silent(ELSEWHERE)

    def test_before_patience_is_over_nobody_is_silent(self) -> None:
        witness = Witness(patience_s=3600, at_once=lambda: 3)
        self.left(witness, ONE, TWO, THREE)
        assert witness.blame_for_no_turn(FOUR) is Blame.CALLBACK

    def test_a_host_where_more_may_be_under_way_is_asked(self) -> None:
        witness = Witness(patience_s=0, at_once=lambda: 4)
        self.left(witness, ONE, TWO, THREE)
        assert witness.blame_for_no_turn(FIVE) is Blame.CALLBACK
        self.left(witness, FOUR)
        assert witness.blame_for_no_turn(FIVE) is Blame.FAILING

    def test_any_answer_ends_it(self, witness: Witness) -> None:
        for reason in ("success", None):
            self.left(witness, ONE, TWO, THREE)
            assert witness.blame_for_no_turn(FOUR) is Blame.FAILING
            if reason is None:
                blame(witness, ONE, None)
            else:
                witness.hear_success([ONE])
            assert witness.blame_for_no_turn(FOUR) is Blame.CALLBACK

    def test_an_end_without_an_answer_makes_room_for_one(self, witness: Witness) -> None:
        self.left(witness, ONE, TWO, THREE, FOUR)
        assert witness.blame_for_no_turn(FIVE) is Blame.FAILING
        blame(witness, ONE, Reason.TIMED_OUT)
        assert not witness.is_silent(FIVE)
        assert witness.blame_for_no_turn(FIVE) is Blame.FAILING
