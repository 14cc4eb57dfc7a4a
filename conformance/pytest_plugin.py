"""`pytest --websub-hub URL`: one test for each case of the suite.

The cases run side by side, all at once when the first of them is due; each test then tells its own
result. A failed MUST fails its test; any other failure is an expected one.
"""

import asyncio
from collections.abc import Sequence

import pytest

from conformance.case import Case, all_cases
from conformance.exchange import render
from conformance.options import Options
from conformance.runner import run_suite
from conformance.verdict import Broken, Failed, Level, Passed, Reported, Result, Skipped

_RESULTS = pytest.StashKey[dict[str, Result]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("websub", "conformance of a WebSub hub")
    group.addoption("--websub-hub", metavar="URL", help="test this hub, a test for each case")
    group.addoption(
        "--websub-retry-wait-s", type=float, metavar="N", help="the hub retries within N seconds"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    if config.getoption("--websub-hub"):
        items += [CaseItem.from_parent(session, name=case.id, case=case) for case in all_cases()]


class CaseItem(pytest.Item):
    """The test of one case."""

    def __init__(self, *, case: Case, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.case = case

    def runtest(self) -> None:
        """Tells the result of the case."""
        result = _results(self.session)[self.case.id]
        match result.verdict:
            case Skipped(reason=reason):
                pytest.skip(reason)
            case Failed() | Broken() if result.level is Level.MUST:
                pytest.fail(_told(result), pytrace=False)
            case Failed() | Broken():
                pytest.xfail(f"{result.level.value}: {result.says}")
            case Passed() | Reported():
                self.add_report_section("call", "finding", result.says)

    def reportinfo(self) -> tuple[str, int | None, str]:
        """Returns where the test stands, and its name."""
        return "WebSub", None, f"{self.case.id}: {self.case.title}"


def _results(session: pytest.Session) -> dict[str, Result]:
    if _RESULTS not in session.stash:
        session.stash[_RESULTS] = _run(session.config, session.items)
    return session.stash[_RESULTS]


def _run(config: pytest.Config, items: Sequence[pytest.Item]) -> dict[str, Result]:
    cases = [item.case for item in items if isinstance(item, CaseItem)]
    options = Options(
        hub_url=config.getoption("--websub-hub"),
        retry_wait_s=config.getoption("--websub-retry-wait-s"),
    )
    run = asyncio.run(run_suite(options, cases, lambda _result: None))
    return {result.id: result for result in run.results}


def _told(result: Result) -> str:
    if isinstance(result.verdict, Broken):
        return result.verdict.error
    shown = result.verdict.exchanges if isinstance(result.verdict, Failed) else ()
    return "\n\n".join([f"{result.title}: {result.says}", *map(render, shown)])
