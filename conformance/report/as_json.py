"""The results for programs."""

import json
from typing import Any

from conformance import __version__
from conformance.exchange import Exchange, render
from conformance.report.summary import counts
from conformance.requirements import group_of
from conformance.runner import Run
from conformance.verdict import Broken, Failed, Result, exit_status

FORMAT = 1


def as_json(run: Run) -> str:
    """Returns the run as one JSON document; `format` is raised when a field changes its meaning."""
    abilities = run.abilities
    lease = abilities.short_lease
    document = {
        "format": FORMAT,
        "suite": f"websub-conformance {__version__}",
        "hub": run.hub_url,
        "started_at": run.started_at.isoformat(timespec="seconds"),
        "seconds": round(run.seconds, 1),
        "exit_status": exit_status(run.results),
        "counts": counts(run.results),
        "abilities": {
            "refuses_us": abilities.refuses_us or None,
            "keeps_away": abilities.keeps_away or None,
            "ping_form": abilities.ping_form.value if abilities.ping_form else None,
            "short_lease_s": lease.granted_s if lease else None,
        },
        "results": [_result(result) for result in run.results],
    }
    return json.dumps(document, indent=1) + "\n"


def _result(result: Result) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": result.id,
        "group": group_of(result.id),
        "section": result.section,
        "level": result.level.value,
        "title": result.title,
        "verdict": result.word,
        "seconds": round(result.seconds, 2),
    }
    match result.verdict:
        case Failed(expected=expected, came=came, exchanges=exchanges):
            shown = [_exchange(exchange) for exchange in exchanges]
            fields |= {"expected": expected, "came": came, "exchanges": shown}
        case Broken(error=error):
            fields["error"] = error
        case _:
            fields["says"] = result.says
    return fields


def _exchange(exchange: Exchange) -> dict[str, Any]:
    # Bytes that are no text would stop a strict JSON reader: the rendering has them escaped.
    text = render(exchange).encode("utf-8", "backslashreplace").decode()
    return {"way": exchange.way.value, "status": exchange.status, "text": text}
