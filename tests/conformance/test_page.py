"""docs/conformance.md shows the suite as it is, and a hub that keeps all that it has to."""

import re
from itertools import takewhile

from conformance.case import all_cases
from conformance.report.markdown import BEGIN, END
from conformance.verdict import Level
from tests.conformance.write_page import PAGE

# The id, the level and the verdict of a line of the table.
LINE = re.compile(r"^\| `([A-Z]{3}-\d\d[^`]*)` \| (\w+) \| (\w+) \|", re.MULTILINE)


def _table() -> list[tuple[str, str, str]]:
    text = PAGE.read_text(encoding="utf-8")
    return LINE.findall(text.partition(BEGIN)[2].partition(END)[0])


def test_the_table_has_each_case_and_no_other() -> None:
    assert sorted((case_id, level) for case_id, level, _ in _table()) == sorted(
        (case.id, case.level.value) for case in all_cases()
    )


def test_our_hub_fails_no_case() -> None:
    judged = {word for _, _, word in _table()}
    assert {case_id for case_id, _, word in _table() if word in {"fail", "error"}} == set()
    assert judged <= {"pass", "reported", "skipped"}


def test_of_what_has_to_be_nothing_is_skipped_but_the_end_of_all_tries() -> None:
    binding = {Level.MUST.value, Level.SHOULD.value}
    skipped = {name for name, level, word in _table() if word == "skipped" and level in binding}
    # It comes after days.
    assert skipped <= {"DIS-15.exhausted"}


def test_what_is_optional_is_done_or_refused_with_a_reason() -> None:
    text = PAGE.read_text(encoding="utf-8").partition("## What is optional")[2]
    lines = takewhile(lambda line: not line.startswith("## "), text.splitlines())
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")][1:]
    named = {word for row in rows for word in row[0].split(", ")}
    optional = {case.row_id for case in all_cases() if case.level is Level.MAY}
    assert optional <= named
    assert all(re.match("(Done|Refused)", row[2]) for row in rows)
