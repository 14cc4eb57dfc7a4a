"""The results as Markdown, for a page of documentation."""

from collections.abc import Iterable

from conformance import __version__
from conformance.report.summary import ORDER, counts, in_groups, sentence
from conformance.runner import Run
from conformance.verdict import Result

BEGIN = "<!-- websub-conformance: begin -->"
END = "<!-- websub-conformance: end -->"
COLUMNS = ("case", "level", "verdict", "what it asks", "note")
LONGEST_NOTE = 240


def markdown(run: Run) -> str:
    """Returns the run as Markdown: counts by section, and a line for each case."""
    groups = in_groups(run)
    words = [word for word, number in counts(run.results).items() if number]
    lines = [
        BEGIN,
        f"websub-conformance {__version__}, {run.started_at:%d %B %Y}: {sentence(run)}.",
        "",
        *_head("section", *words),
        *(_line(title, *_numbers(results, words)) for title, results in groups.items()),
        _line("**all**", *_numbers(run.results, words)),
    ]
    for title, results in groups.items():
        lines += [
            "",
            f"### {title}",
            "",
            *_head("case", "level", "verdict", "what it asks", "note"),
        ]
        lines += map(_case, results)
    return "\n".join([*lines, END, ""])


def spliced(page: str, report: str) -> str:
    """Returns a page with its report replaced; a page without one becomes the report."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    return before + report.rstrip("\n") + after if begin and end else report


def _case(result: Result) -> str:
    says = result.says
    note = says if len(says) <= LONGEST_NOTE else f"{says[:LONGEST_NOTE]}..."
    cells = f"`{result.id}`", result.level.value, result.word, _text(result.title), _text(note)
    return _line(*cells)


def _numbers(results: Iterable[Result], words: list[str]) -> list[str]:
    found = counts(results)
    return [str(found[word] or "") for word in ORDER if word in words]


def _head(*cells: str) -> list[str]:
    return [_line(*cells), "|" + "---|" * len(cells)]


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    """Returns text that a hub may have sent, fit for a cell."""
    flat = " ".join(text.encode("utf-8", "backslashreplace").decode().split())
    for sign, written in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("`", "\\`")):
        flat = flat.replace(sign, written)
    return flat
