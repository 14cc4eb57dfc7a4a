"""Whose failure it is: only what is the origin's own may hold its other callbacks (design 7)."""

import pytest

from hub.clock import monotonic_s
from hub.outbound.request import Reason
from hub.store.outcomes import Blame
from workers.blame import ORIGINS_MAX, Witness

ONE, TWO, THREE = (f"http://a.example/{number}" for number in (1, 2, 3))
ELSEWHERE = "http://b.example/1"


@pytest.fixture
def witness() -> Witness:
    return Witness()


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
    witness.hear_success(ONE)
    blames = {
        witness.blame(f"{TWO}{number}", reason, sent_at_s=sent_at_s, is_probe=False)
        for number in range(9)
    }
    assert blames == {Blame.CALLBACK}


def test_a_success_in_between_starts_the_count_anew(witness: Witness) -> None:
    blame(witness, ONE, None)
    blame(witness, TWO, None)
    witness.hear_success(ONE)
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
