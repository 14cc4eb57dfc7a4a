"""Results and exchanges made up for tests of the reports."""

from datetime import UTC, datetime

from conformance.exchange import Exchange, Headers, Way
from conformance.options import PingForm
from conformance.runner import Run
from conformance.verdict import Level, Result, Verdict
from conformance.world import Abilities


def answer(*, status: int = 200, body: bytes = b"", headers: Headers = ()) -> Exchange:
    return Exchange(
        way=Way.TO_HUB,
        method="POST",
        target="/",
        headers=(("Host", "hub.example"),),
        body=b"hub.mode=subscribe",
        at_s=1.0,
        status=status,
        answer_headers=headers,
        answer_body=body,
        answered_at_s=1.5,
    )


def result(case_id: str, verdict: Verdict, *, level: Level = Level.MUST) -> Result:
    return Result(
        id=case_id,
        level=level,
        section="5.1",
        title=f"What {case_id} asks for",
        verdict=verdict,
        seconds=0.25,
    )


def run_of(*results: Result) -> Run:
    return Run(
        hub_url="http://hub.example/",
        started_at=datetime(2026, 6, 2, 12, 0, tzinfo=UTC),
        seconds=1.5,
        abilities=Abilities(ping_form=PingForm.URL),
        results=results,
    )
