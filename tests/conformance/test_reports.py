"""The reports: complete, well-formed, and safe with whatever a hub sends."""

import json
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from conformance.case import all_cases
from conformance.report.as_json import as_json
from conformance.report.html import html
from conformance.report.implementation import implementation_report
from conformance.report.junit import junit
from conformance.report.markdown import BEGIN, END, markdown, spliced
from conformance.report.table import table
from conformance.runner import Run
from conformance.verdict import Broken, Failed, Level, Passed, Reported, Skipped
from tests.conformance.made_up import answer, result, run_of

HOSTILE = b'<script>alert(1)</script> & "quotes" \x00\x1b[31m \xff'
VOID = {"meta", "input", "br"}


class Balanced(HTMLParser):
    """Notes each tag that is not closed where it should be, and each thing fetched from outside."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.faults += [f"{tag} {name}" for name, _ in attrs if name in {"src", "href"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"stray </{tag}>")


@pytest.fixture
def run() -> Run:
    shown = answer(status=200, body=HOSTILE, headers=(("X-Bad", "\udcff<b>"),))
    return run_of(
        result("SUB-01", Passed(note="quick")),
        result("SUB-07.200", Failed(expected="a 4xx answer", came="<202>", exchanges=(shown,))),
        result("SUB-12", Failed(expected="soon", came="late"), level=Level.SHOULD),
        result("DIS-10", Reported(finding="has ended"), level=Level.MAY),
        result("DIS-13", Skipped(reason="no retry within 8 s")),
        result("SIG-01", Broken(error="Traceback\nKeyError: 'x'")),
    )


def test_the_table_is_grouped_and_shows_why_a_case_failed(run: Run) -> None:
    text = table(run, coloured=False)
    assert text.index("5.1 Subscription request") < text.index("7 Content distribution")
    assert "expected a 4xx answer" in text
    assert "came     <202>" in text
    assert "| POST / HTTP/1.1" in text
    assert "no retry within 8 s" in text
    assert text.endswith(
        "1 passed, 2 failed, 1 broken in the suite itself, 1 reported, 1 skipped in 1.5 s; "
        "2 of level MUST.\n"
    )


def test_the_table_is_without_colours_where_nobody_sees_them(run: Run) -> None:
    assert "\x1b[" not in table(run, coloured=False).replace("\\x1b[", "")
    assert "\x1b[1;31m" in table(run, coloured=True)


def test_the_json_holds_each_result_and_can_be_read_back(run: Run) -> None:
    document = json.loads(as_json(run).encode())
    assert document["counts"]["fail"] == 2
    assert document["exit_status"] == 1
    assert [entry["id"] for entry in document["results"]] == [r.id for r in run.results]
    failed = document["results"][1]
    assert (failed["expected"], failed["came"]) == ("a 4xx answer", "<202>")
    assert failed["exchanges"][0]["text"].startswith("[suite to hub]\nPOST /")
    assert document["results"][4]["says"] == "no retry within 8 s"


def test_the_markdown_has_a_line_for_each_result_and_lets_nothing_out_of_its_cell(run: Run) -> None:
    hostile = run_of(result("SUB-01", Passed(note="a|b <i>\n`c` \udcff")), *run.results[1:])
    lines = markdown(hostile).splitlines()
    assert [line.split("`")[1] for line in lines if line.startswith("| `")] == [
        result.id for result in run.results
    ]
    assert (
        "| `SUB-01` | MUST | pass | What SUB-01 asks for | a\\|b &lt;i> \\`c\\` \\udcff |" in lines
    )
    assert "| 5.1 Subscription request | 1 | 2 |  |  |  |" in lines
    assert "| **all** | 1 | 2 | 1 | 1 | 1 |" in lines


def test_the_markdown_replaces_an_older_one_and_nothing_else_of_a_page(run: Run) -> None:
    report = markdown(run)
    page = f"# A page\n\n{BEGIN}\nan older table\n{END}\n\nThe end.\n"
    assert spliced(page, report) == f"# A page\n\n{report}\nThe end.\n"
    assert spliced("no table yet", report) == report


def test_only_a_failed_must_is_a_failure_in_junit(run: Run) -> None:
    suites = ElementTree.fromstring(junit(run))
    assert [case.get("classname") for case in suites.iter("testcase")] == [
        r.id for r in run.results
    ]
    assert len(list(suites.iter("failure"))) == 1
    assert len(list(suites.iter("error"))) == 1
    assert len(list(suites.iter("skipped"))) == 1
    assert [suite.get("failures") for suite in suites] == ["1", "0", "0"]


def test_the_page_is_balanced_and_needs_nothing_from_outside(run: Run) -> None:
    page = html(run)
    parser = Balanced()
    parser.feed(page)
    assert parser.faults == []
    assert parser.open == []
    assert "script" not in parser.tags
    assert "url(" not in page
    assert "@import" not in page
    page.encode("utf-8")


def test_the_page_holds_all_cases() -> None:
    everything = run_of(*(result(case.id, Passed()) for case in all_cases()))
    parser = Balanced()
    parser.feed(html(everything))
    assert {case.id for case in all_cases()} <= set(parser.ids)
    assert len(parser.ids) == len(set(parser.ids))


def test_the_checklist_is_ticked_where_the_cases_passed() -> None:
    text = implementation_report(
        run_of(
            result("SUB-01", Passed()),
            result("SUB-04", Failed(expected="a", came="b")),
            result("VER-15", Reported(finding="asked for 3600 s, granted 3600")),
            result("SIG-05", Passed(note="signs with sha256")),
            result("DIS-05.atom", Passed(note="delivers only what is new")),
        )
    )
    assert "* [x] 100: Takes subscriptions with mode, topic and callback\n" in text
    assert "* [ ] 101: " in text
    assert "* [ ] 102: Ignores parameters that it does not know (see SUB-04)\n" in text
    assert "* [x] Grants the lease that is asked for\n" in text
    assert "    * [ ] sha1\n    * [x] sha256\n" in text
    assert "* [x] Delivers only what is new of Atom and RSS feeds" in text
