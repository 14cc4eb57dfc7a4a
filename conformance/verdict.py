"""What a case found: the verdicts, the results, and the exit status that follows."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from conformance.exchange import Exchange


class Level(StrEnum):
    """How much a requirement weighs; only a failed MUST makes a hub nonconforming."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"
    LEGACY = "legacy"
    SECURITY = "security"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """The hub did what the requirement asks; `note` says what else was seen."""

    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The hub did something else."""

    expected: str
    came: str
    exchanges: tuple[Exchange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """The case could not be judged on this hub, or not in this run."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """The text leaves it open: what this hub does, without a judgement."""

    finding: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A fault of the suite, not of the hub."""

    error: str


Verdict = Passed | Failed | Skipped | Reported | Broken
WORDS: dict[type[Verdict], str] = {
    Passed: "pass",
    Failed: "fail",
    Skipped: "skipped",
    Reported: "reported",
    Broken: "error",
}


class Mismatch(Exception):
    """Raised by a case: something else came than was expected."""

    def __init__(self, expected: str, came: str, *shown_by: Exchange) -> None:
        super().__init__(f"expected {expected}; came {came}")
        self.expected = expected
        self.came = came
        self.shown_by = shown_by


class NotApplicable(Exception):
    """Raised by a case that cannot be judged on this hub."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The verdict on one case."""

    id: str
    level: Level
    section: str
    title: str
    verdict: Verdict
    seconds: float

    @property
    def word(self) -> str:
        """The verdict as one word."""
        return WORDS[type(self.verdict)]

    @property
    def has_failed(self) -> bool:
        """Whether the hub, or the suite itself, did not get through the case."""
        return isinstance(self.verdict, Failed | Broken)

    @property
    def says(self) -> str:
        """What the verdict adds to its word, in one line."""
        match self.verdict:
            case Passed(note=text) | Skipped(reason=text) | Reported(finding=text):
                return text
            case Failed(expected=expected, came=came):
                return f"expected {expected}; came {came}"
            case Broken(error=error):
                return error.strip().rpartition("\n")[2]


def exit_status(results: Iterable[Result]) -> int:
    """Returns 1 where a MUST failed, else 0."""
    return int(any(result.has_failed and result.level is Level.MUST for result in results))
