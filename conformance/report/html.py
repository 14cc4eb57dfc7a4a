"""The results as one page that needs nothing besides: for the screen, in the dark, and on paper."""

from html import escape
from importlib.resources import files

from conformance import __version__
from conformance.exchange import render
from conformance.report.summary import PHRASES, counts, failed_musts, in_groups
from conformance.requirements import row
from conformance.runner import Run
from conformance.verdict import Broken, Failed, Level, Result

OPEN_AT_START = ("fail", "error")


def html(run: Run) -> str:
    """Returns the run as one HTML page."""
    style = files("conformance").joinpath("report", "style.css").read_text(encoding="utf-8")
    title = f"WebSub conformance of {escape(run.hub_url)}"
    body = "\n".join([_head(run), _filters(run), *_groups(run), _foot(run)])
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _head(run: Run) -> str:
    musts = failed_musts(run)
    kind = "fail" if musts else "pass"
    outcome = (
        f"{musts} {'case' if musts == 1 else 'cases'} of level MUST failed"
        if musts
        else "Every MUST that could be judged holds"
    )
    return (
        f'<header><p class="kicker">WebSub conformance</p><h1>{escape(run.hub_url)}</h1>'
        f'<p class="outcome {kind}">{outcome}</p>'
        f"<p>{len(run.results)} cases in {run.seconds:.1f} s, "
        f"{run.started_at:%d %B %Y, %H:%M} UTC.</p>{_bar(run)}{_matrix(run)}</header>"
    )


def _bar(run: Run) -> str:
    parts = "".join(
        f'<span class="{word}" style="flex:{number}" title="{number} {PHRASES[word]}"></span>'
        for word, number in counts(run.results).items()
        if number
    )
    return f'<div class="bar" aria-hidden="true">{parts}</div>'


def _matrix(run: Run) -> str:
    """Returns a small table: how each level fared."""
    shown = [word for word, number in counts(run.results).items() if number]
    heads = "".join(f'<th scope="col">{PHRASES[word]}</th>' for word in shown)
    lines = []
    for level in Level:
        by_word = counts(result for result in run.results if result.level is level)
        if any(by_word.values()):
            cells = "".join(_cell(word, by_word[word]) for word in shown)
            lines.append(f'<tr><th scope="row">{level.value}</th>{cells}</tr>')
    return (
        f'<table class="levels"><thead><tr><th scope="col">level</th>{heads}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def _cell(word: str, number: int) -> str:
    return f'<td class="{word}">{number}</td>' if number else "<td></td>"


def _filters(run: Run) -> str:
    found = counts(run.results)
    buttons = ['<label><input type="radio" name="show" id="show-all" checked>all</label>']
    buttons += [
        f'<label><input type="radio" name="show" id="show-{word}">{PHRASES[word]} {number}</label>'
        for word, number in found.items()
        if number
    ]
    return f'<fieldset class="filters"><legend>Show</legend>{"".join(buttons)}</fieldset>'


def _groups(run: Run) -> list[str]:
    return [
        f"<section><h2>{escape(title)}</h2>{''.join(map(_case, results))}</section>"
        for title, results in in_groups(run).items()
    ]


def _case(result: Result) -> str:
    opened = " open" if result.word in OPEN_AT_START else ""
    return (
        f'<details class="case {result.word}" id="{escape(result.id)}"{opened}>'
        f'<summary><span class="id">{escape(result.id)}</span>'
        f'<span class="level">{result.level.value}</span>'
        f'<span class="title">{escape(result.title)}</span>'
        f'<span class="verdict {result.word}">{result.word}</span>'
        f'<span class="seconds">{result.seconds:.1f} s</span></summary>'
        f'<div class="inside">{_inside(result)}</div></details>\n'
    )


def _inside(result: Result) -> str:
    rule = row(result.id.partition(".")[0])
    text = (
        f'<p class="rule">{escape(rule.requirement)} '
        f'<span class="section">Section {escape(rule.section)}</span></p>'
    )
    match result.verdict:
        case Failed(expected=expected, came=came, exchanges=exchanges):
            text += (
                f"<dl><dt>expected</dt><dd>{_safe(expected)}</dd>"
                f"<dt>came</dt><dd>{_safe(came)}</dd></dl>"
            )
            text += "".join(f"<pre>{_safe(render(exchange))}</pre>" for exchange in exchanges)
        case Broken(error=error):
            text += f"<pre>{_safe(error)}</pre>"
        case _:
            text += f"<p>{_safe(result.says)}</p>" if result.says else ""
    return text


def _safe(text: str) -> str:
    """Returns text that a hub may have sent, fit for a page in UTF-8."""
    return escape(text.encode("utf-8", "backslashreplace").decode())


def _foot(run: Run) -> str:
    ping = run.abilities.ping_form.value if run.abilities.ping_form else "none"
    return (
        f"<footer><p>websub-conformance {__version__}. <b>Pass</b> and <b>fail</b> judge a rule; "
        "<b>reported</b> says what the hub does where the text leaves it open; <b>skipped</b> "
        "could not be judged. Only a failed MUST makes a hub nonconforming.</p>"
        f"<p>Form of ping: {escape(ping)}.</p></footer>"
    )
