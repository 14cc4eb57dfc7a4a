"""What every report says first: counts, and results by group."""

from collections import Counter
from collections.abc import Iterable

from conformance.requirements import GROUPS, group_of
from conformance.runner import Run
from conformance.verdict import Level, Result

ORDER = ("pass", "fail", "error", "reported", "skipped")
PHRASES = {
    "pass": "passed",
    "fail": "failed",
    "error": "broken in the suite itself",
    "reported": "reported",
    "skipped": "skipped",
}


def counts(results: Iterable[Result]) -> dict[str, int]:
    """Returns how often each verdict was given, in a fixed order."""
    counted = Counter(result.word for result in results)
    return {word: counted[word] for word in ORDER}


def failed_musts(run: Run) -> int:
    """Returns how many cases of level MUST have failed."""
    return sum(result.has_failed and result.level is Level.MUST for result in run.results)


def in_groups(run: Run) -> dict[str, list[Result]]:
    """Returns the results under the titles of their groups; groups without any are left out."""
    found: dict[str, list[Result]] = {title: [] for title in GROUPS.values()}
    for result in run.results:
        found[group_of(result.id)].append(result)
    return {title: results for title, results in found.items() if results}


def sentence(run: Run) -> str:
    """Returns the outcome in one line."""
    said = [f"{number} {PHRASES[word]}" for word, number in counts(run.results).items() if number]
    musts = failed_musts(run)
    end = f"{musts} of level MUST" if musts else "every MUST that could be judged holds"
    return f"{', '.join(said)} in {run.seconds:.1f} s; {end}"
