"""How findings are shown: to people, and to programs."""

import json
import textwrap
from collections.abc import Iterator, Sequence

from hub.commands.reach import shown
from hub.doctor.finding import Finding, Verdict, counted

_COLOURS = {
    Verdict.OK: "\x1b[32m",
    Verdict.ADVICE: "\x1b[33m",
    Verdict.FAULT: "\x1b[1;31m",
    Verdict.SKIPPED: "\x1b[2m",
}
_PLAIN = "\x1b[0m"
_VERDICT_WIDTH = max(len(verdict) for verdict in Verdict)
_WIDTH_MIN, _WIDTH_MAX = 40, 110


def as_text(url: str, findings: Sequence[Finding], *, width: int, is_coloured: bool) -> str:
    """Return what a person reads: a block for each finding, and a sum at the end."""
    column = max(len(finding.check) for finding in findings)
    indent = _VERDICT_WIDTH + column + 4
    text_width = max(min(width, _WIDTH_MAX) - indent, _WIDTH_MIN)
    lines = [shown(url), ""]
    for finding in findings:
        verdict = _painted(finding.verdict, is_coloured=is_coloured)
        head = f"{verdict}  {shown(finding.check):{column}}  "
        for number, line in enumerate(_lines(finding, text_width)):
            lines.append((head if number == 0 else " " * indent) + line)
    return "\n".join([*lines, "", _sum(findings), ""])


def _painted(verdict: Verdict, *, is_coloured: bool) -> str:
    text = f"{verdict:{_VERDICT_WIDTH}}"
    return f"{_COLOURS[verdict]}{text}{_PLAIN}" if is_coloured else text


def _lines(finding: Finding, width: int) -> Iterator[str]:
    for label, sentence in (("", finding.found), ("Mend: ", finding.mend), ("Why: ", finding.why)):
        if sentence:
            # Addresses stay whole, so that they can be copied.
            yield from textwrap.wrap(
                label + shown(sentence), width, break_long_words=False, break_on_hyphens=False
            )


def _sum(findings: Sequence[Finding]) -> str:
    faults, advised = count(findings, Verdict.FAULT), count(findings, Verdict.ADVICE)
    pieces = counted(advised, "piece of advice", "pieces of advice")
    return f"{counted(faults, 'fault')}, {pieces}, {count(findings, Verdict.OK)} ok"


def as_json(url: str, findings: Sequence[Finding]) -> str:
    """Return one JSON object."""
    record = {
        "url": url,
        "faults": count(findings, Verdict.FAULT),
        "advice": count(findings, Verdict.ADVICE),
        "findings": [
            {
                "check": finding.check,
                "verdict": finding.verdict.value,
                "found": finding.found,
                "mend": finding.mend,
                "why": finding.why,
            }
            for finding in findings
        ],
    }
    return json.dumps(record, ensure_ascii=False, indent=2) + "\n"


def count(findings: Sequence[Finding], verdict: Verdict) -> int:
    """Return how many findings are of a verdict."""
    return sum(finding.verdict is verdict for finding in findings)
