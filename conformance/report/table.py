"""The table on the terminal."""

from textwrap import indent

from conformance.exchange import render
from conformance.report.summary import in_groups, sentence
from conformance.runner import Run
from conformance.verdict import Broken, Failed, Reported, Result, Skipped

COLOURS = {"pass": "32", "fail": "1;31", "error": "1;35", "reported": "36", "skipped": "33"}
MARGIN = " " * 6


def table(run: Run, *, coloured: bool, verbose: bool = False) -> str:
    """Returns the results by section; `verbose` adds the notes of what passed."""
    lines = [f"WebSub conformance of {run.hub_url}"]
    for title, results in in_groups(run).items():
        lines += ["", title]
        for result in results:
            lines += _lines(result, coloured=coloured, verbose=verbose)
    return "\n".join([*lines, "", f"{sentence(run)}.", ""])


def _lines(result: Result, *, coloured: bool, verbose: bool) -> list[str]:
    word = f"{result.word:8}"
    if coloured:
        word = f"\x1b[{COLOURS[result.word]}m{word}\x1b[0m"
    level = result.level.value
    line = f"  {result.id:22} {level:8} {word} {result.seconds:5.1f} s  {result.title}"
    return [line, *_details(result, verbose=verbose)]


def _details(result: Result, *, verbose: bool) -> list[str]:
    match result.verdict:
        case Failed(expected=expected, came=came, exchanges=exchanges):
            shown = [indent(render(exchange), f"{MARGIN}| ") for exchange in exchanges]
            return [f"{MARGIN}expected {expected}", f"{MARGIN}came     {came}", *shown]
        case Broken(error=error):
            return [indent(error.rstrip(), MARGIN)]
        case Reported() | Skipped():
            return [f"{MARGIN}{result.says}"]
        case _:
            return [f"{MARGIN}{result.says}"] if verbose and result.says else []
