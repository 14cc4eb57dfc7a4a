"""The results as JUnit XML, which continuous integration shows."""

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from conformance.exchange import render
from conformance.report.summary import in_groups
from conformance.runner import Run
from conformance.verdict import Broken, Failed, Level, Passed, Reported, Result, Skipped

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(run: Run) -> str:
    """Returns the run as JUnit XML; only a failed MUST counts as a failure there."""
    root = Element("testsuites", name="websub-conformance", time=f"{run.seconds:.1f}")
    for title, results in in_groups(run).items():
        failures = sum(_counts_as_failure(result) for result in results)
        suite = SubElement(
            root,
            "testsuite",
            name=title,
            tests=str(len(results)),
            failures=str(failures),
            errors=str(sum(isinstance(result.verdict, Broken) for result in results)),
            skipped=str(sum(isinstance(result.verdict, Skipped) for result in results)),
        )
        for result in results:
            _add(suite, result)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add(suite: Element, result: Result) -> None:
    name = f"{result.id} ({result.level.value}): {result.title}"
    case = SubElement(
        suite, "testcase", classname=result.id, name=name, time=f"{result.seconds:.2f}"
    )
    match result.verdict:
        case Failed(exchanges=exchanges) if _counts_as_failure(result):
            failure = SubElement(case, "failure", message=_clean(result.says))
            failure.text = _clean("\n\n".join(map(render, exchanges)))
        case Broken(error=error):
            SubElement(case, "error", message=_clean(result.says)).text = _clean(error)
        case Skipped(reason=reason):
            SubElement(case, "skipped", message=_clean(reason))
        case Failed() | Passed() | Reported():
            SubElement(case, "system-out").text = _clean(f"{result.word} {result.says}".rstrip())


def _counts_as_failure(result: Result) -> bool:
    return isinstance(result.verdict, Failed) and result.level is Level.MUST


def _clean(text: str) -> str:
    return _NOT_XML.sub("?", text)
