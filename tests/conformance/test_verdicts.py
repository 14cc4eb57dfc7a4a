"""Verdicts, exit status, and the shape of the cases."""

import re

import pytest

from conformance.case import all_cases
from conformance.judge import equal, refused, require, spelt
from conformance.verdict import (
    Broken,
    Failed,
    Level,
    Mismatch,
    Passed,
    Reported,
    Result,
    Skipped,
    Verdict,
    exit_status,
)
from tests.conformance.made_up import answer, result


@pytest.mark.parametrize(
    ("level", "verdict", "status"),
    [
        (Level.MUST, Passed(), 0),
        (Level.MUST, Failed(expected="a", came="b"), 1),
        (Level.MUST, Broken(error="a fault"), 1),
        (Level.MUST, Skipped(reason="long leases"), 0),
        (Level.MUST, Reported(finding="ends"), 0),
        (Level.SHOULD, Failed(expected="a", came="b"), 0),
        (Level.MAY, Failed(expected="a", came="b"), 0),
        (Level.LEGACY, Failed(expected="a", came="b"), 0),
        (Level.SECURITY, Failed(expected="a", came="b"), 0),
    ],
)
def test_only_a_failed_must_sets_the_exit_status(
    level: Level, verdict: Verdict, status: int
) -> None:
    passed = result("SUB-01", Passed())
    assert exit_status([passed, result("SUB-12", verdict, level=level)]) == status


def test_a_result_says_what_its_verdict_adds() -> None:
    assert result("SUB-01", Failed(expected="202", came="200")).says == "expected 202; came 200"
    assert result("SUB-01", Skipped(reason="no ping")).says == "no ping"
    assert result("SUB-01", Broken(error="Traceback\nKeyError: 1\n")).says == "KeyError: 1"


def test_an_error_of_class_5xx_is_reported_and_a_success_fails() -> None:
    assert refused(answer(status=400), "it") is None
    assert isinstance(refused(answer(status=503), "it"), Reported)
    with pytest.raises(Mismatch):
        refused(answer(status=202), "it")


@pytest.mark.parametrize("came", ["/%7Ea/%2F", "/~a/%2F"], ids=["as given", "decoded"])
def test_escapes_of_unreserved_characters_may_be_decoded_which_is_told(came: str) -> None:
    found = spelt("path", came, "/%7Ea/%2F")
    assert (found is None) == (came == "/%7Ea/%2F")


@pytest.mark.parametrize("came", ["/~a//", "/%7ea/%2F", "/~a/%2f", "/%7Ea/%2F?"])
def test_any_other_spelling_is_a_mismatch(came: str) -> None:
    with pytest.raises(Mismatch):
        spelt("path", came, "/%7Ea/%2F")


def test_a_mismatch_names_both_sides_and_the_exchange() -> None:
    shown = answer(status=200)
    with pytest.raises(Mismatch) as caught:
        equal("status", 200, 202, shown)
    assert (caught.value.expected, caught.value.came) == ("status 202", "200")
    assert caught.value.shown_by == (shown,)
    require([1], "something", "nothing")


def test_each_case_has_an_id_of_a_row_and_a_title_of_its_own() -> None:
    cases = all_cases()
    assert all(re.fullmatch(r"[A-Z]{3}-\d\d(\.[a-z0-9-]+)?", case.id) for case in cases)
    assert len({case.title for case in cases}) == len(cases)


def test_titles_are_plain_lines() -> None:
    titles = [case.title for case in all_cases()]
    assert [title for title in titles if title.endswith(".") or len(title) > 100] == []


def test_results_of_one_word_each() -> None:
    words: list[Verdict] = [
        Passed(),
        Failed(expected="", came=""),
        Skipped(reason=""),
        Reported(finding=""),
    ]
    made: list[Result] = [result("SUB-01", verdict) for verdict in words]
    assert [one.word for one in made] == ["pass", "fail", "skipped", "reported"]
