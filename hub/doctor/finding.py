"""What one check has found: a verdict, and sentences for the publisher."""

import enum
from dataclasses import dataclass

_QUOTED_MAX = 120


class Verdict(enum.StrEnum):
    """How bad it is."""

    OK = "ok"
    ADVICE = "advice"
    FAULT = "fault"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check has found.

    Attributes:
        check: what was looked at, in two or three words.
        found: one sentence on what is so.
        mend: one sentence on what to do; empty where there is nothing to do.
        why: one sentence on what it is good for, or which section asks for it; empty likewise.
    """

    check: str
    verdict: Verdict
    found: str
    mend: str = ""
    why: str = ""


def ok(check: str, found: str) -> Finding:
    """Return that all is well."""
    return Finding(check=check, verdict=Verdict.OK, found=found)


def advice(check: str, found: str, *, mend: str, why: str) -> Finding:
    """Return that it works, and could work better."""
    return Finding(check=check, verdict=Verdict.ADVICE, found=found, mend=mend, why=why)


def fault(check: str, found: str, *, mend: str, why: str) -> Finding:
    """Return that something does not work for somebody."""
    return Finding(check=check, verdict=Verdict.FAULT, found=found, mend=mend, why=why)


def skipped(check: str, found: str, *, mend: str = "") -> Finding:
    """Return that nothing can be said, and what would change that."""
    return Finding(check=check, verdict=Verdict.SKIPPED, found=found, mend=mend)


def quoted(text: str) -> str:
    """Return what a stranger wrote in quotes, cut where it is long."""
    cut = text if len(text) <= _QUOTED_MAX else f"{text[:_QUOTED_MAX]}..."
    return f'"{cut}"'


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: "1 entry", "1,200 entries"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
