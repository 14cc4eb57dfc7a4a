"""Every requirement has a case, or a stated reason why it has none."""

from pathlib import Path

from conformance.case import all_cases
from conformance.mapping import REASONS, in_groups, mapped, page
from conformance.requirements import rows
from conformance.verdict import Level

PAGE = Path(__file__).parents[2] / "docs" / "conformance-mapping.md"


def test_each_row_has_a_case_or_a_reason_and_not_both() -> None:
    wrong = [entry.requirement.id for entry in mapped() if bool(entry.cases) == bool(entry.reason)]
    assert wrong == []


def test_each_case_belongs_to_a_row() -> None:
    assert {case.row_id for case in all_cases()} == rows().keys() - REASONS.keys()


def test_each_case_stands_in_one_group() -> None:
    listed = [case for cases in in_groups().values() for case in cases]
    assert sorted(case.id for case in listed) == sorted(case.id for case in all_cases())


def test_the_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_levels_of_the_table_are_read() -> None:
    weights = {row_id: rows()[row_id].weight for row_id in rows()}
    assert weights["SUB-07"] is Level.MUST
    assert weights["SUB-11"] is Level.MUST
    assert weights["SUB-12"] is Level.SHOULD
    assert weights["SUB-10"] is Level.MAY
    assert weights["PUB-03"] is Level.LEGACY
    assert weights["SEC-04"] is Level.SECURITY
    assert weights["SIG-04"] is Level.MUST
