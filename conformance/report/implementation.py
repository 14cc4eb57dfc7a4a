"""The checklist that the W3C collects as implementation reports of hubs.

The numbers are those of the tests of the public test site that ask for the same.
"""

from dataclasses import dataclass

from conformance import __version__
from conformance.report.summary import sentence
from conformance.runner import Run
from conformance.verdict import Result

METHODS = ("sha1", "sha256", "sha384", "sha512")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A line of the checklist, and the cases that must all have passed for a tick."""

    number: int
    text: str
    cases: tuple[str, ...]


SUBSCRIPTION = (
    Feature(
        number=100, text="Takes subscriptions with mode, topic and callback", cases=("SUB-01",)
    ),
    Feature(number=101, text="Takes subscriptions with a secret besides", cases=("SUB-03",)),
    Feature(number=102, text="Ignores parameters that it does not know", cases=("SUB-04",)),
    Feature(number=103, text="Lets active subscriptions be asked for again", cases=("SUB-17",)),
    Feature(number=104, text="Takes requests to unsubscribe", cases=("UNS-01",)),
)
DISTRIBUTION = (
    Feature(
        number=100,
        text="Delivers with the Content-Type of the topic",
        cases=("DIS-03.html", "DIS-03.json", "DIS-03.text"),
    ),
    Feature(
        number=100,
        text="Delivers the whole content of the topic",
        cases=("DIS-04.binary", "DIS-04.crlf", "DIS-04.one-byte"),
    ),
    Feature(number=101, text="Delivers with a valid signature", cases=("SIG-02", "SIG-03.ascii")),
)


def implementation_report(run: Run) -> str:
    """Returns the checklist as Markdown, ticked as far as this run can tell."""
    by_id = {result.id: result for result in run.results}
    said = {result.id: result.says for result in run.results}
    return "\n".join([*_head(run), *_subscription(by_id, said), *_distribution(by_id, said), ""])


def _head(run: Run) -> list[str]:
    return [
        "# NAME OF THE HUB",
        "",
        "Home page: ",
        "",
        "Source code (optional):",
        "* [ ] All of it is open source",
        "",
        "Programming language: ",
        "",
        "Developer: ",
        "",
        "The answers come from:",
        "* [ ] websub.rocks",
        f"* [x] websub-conformance {__version__}, run on {run.started_at:%Y-%m-%d} against "
        f"{run.hub_url}: {sentence(run)}",
        "* [ ] the developer",
        "",
    ]


def _subscription(by_id: dict[str, Result], said: dict[str, str]) -> list[str]:
    asked, default = said.get("VER-15", "not judged"), said.get("SEC-01", "not judged")
    return [
        "## Subscription",
        "",
        *(_line(feature, by_id) for feature in SUBSCRIPTION),
        f"* [{_tick('granted 3600' in asked)}] Grants the lease that is asked for",
        f"  * {asked}; without a wish: {default}",
        "",
    ]


def _distribution(by_id: dict[str, Result], said: dict[str, str]) -> list[str]:
    signs = f"{said.get('SIG-05', '')} {said.get('SIG-05.push03', '')}".replace(",", " ").split()
    only_new = "only what is new" in said.get("DIS-05.atom", "")
    return [
        "## Distribution",
        "",
        *(_line(feature, by_id) for feature in DISTRIBUTION),
        "  * Methods seen:",
        *(f"    * [{_tick(method in signs)}] {method}" for method in METHODS),
        f"* [{_tick(only_new)}] Delivers only what is new of Atom and RSS feeds",
    ]


def _line(feature: Feature, by_id: dict[str, Result]) -> str:
    found = [by_id[name] for name in feature.cases if name in by_id]
    passed = len(found) == len(feature.cases) and all(r.word == "pass" for r in found)
    failed = [result.id for result in found if result.word != "pass"]
    why = f" (see {', '.join(failed)})" if failed else ""
    return f"* [{_tick(passed)}] {feature.number}: {feature.text}{why}"


def _tick(held: object) -> str:
    return "x" if held else " "
