"""Pings taken in per second by one web process, beside a bare aiohttp handler.

    python -m bench.pings [--rounds 3] [--seconds 4]

The bare handler reads the same form and answers 204 without writing anything. A ping for a topic
that nobody follows writes nothing either; one for a followed topic is on disk before its answer
(`appendfsync always`).
"""

import argparse
import statistics
from dataclasses import dataclass

from bench.bare_web import bare_web
from bench.hub_under_test import hub
from bench.poster import form
from bench.processes import Process, Spent
from bench.sink import sink
from bench.site import site
from bench.wrk import Asked, post_for

TOPICS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round came to, and what each ping has cost the processes."""

    asked: Asked
    us: dict[str, float]


def measure(rounds: int, seconds: int) -> dict[str, list[Round]]:
    """Returns the rounds, which take turns."""
    measured: dict[str, list[Round]] = {"bare handler": [], "nobody follows": [], "followed": []}
    # The usual burst, so that the worker fetches no more than it would elsewhere.
    with sink() as receiver, site() as pages, hub(fetch_burst=10) as under_test:
        followed = [pages.same(number) for number in range(TOPICS)]
        under_test.subscribe_all([(t, receiver.callback(n)) for n, t in enumerate(followed)])
        known = [form(mode="publish", url=topic) for topic in followed]
        unknown = [form(mode="publish", url=f"{topic}/unknown") for topic in followed]
        with bare_web() as (bare_port, bare):
            for _ in range(rounds):
                for name, port, bodies, parts in (
                    ("bare handler", bare_port, known, {"web": [bare]}),
                    ("nobody follows", under_test.port, unknown, under_test.parts()),
                    ("followed", under_test.port, known, under_test.parts()),
                ):
                    measured[name].append(_round(seconds, port, bodies, parts))
    return measured


def _round(seconds: int, port: int, bodies: list[bytes], parts: dict[str, list[Process]]) -> Round:
    spent = Spent(parts)
    with spent.measured():
        asked = post_for(seconds, port, bodies)
    us = {name: cpu_s / (asked.per_s * seconds) * 1e6 for name, cpu_s in spent.cpu_s.items()}
    return Round(asked=asked, us=us)


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    given = parser.parse_args()
    measured = measure(given.rounds, given.seconds)
    print(
        f"{'pings':16}{'per s':>9}{'ratio':>8}{'p50 ms':>9}{'p99 ms':>9}"
        f"{'us: web':>9}{'worker':>8}{'redis':>8}"
    )
    bare = [one.asked.per_s for one in measured["bare handler"]]
    for name, rounds in measured.items():
        per_s = [one.asked.per_s for one in rounds]
        ratio = statistics.median(ours / base for ours, base in zip(per_s, bare, strict=True))
        print(
            f"{name:16}{statistics.median(per_s):>9,.0f}{ratio:>8.2f}"
            f"{statistics.median(one.asked.p50_ms for one in rounds):>9.1f}"
            f"{statistics.median(one.asked.p99_ms for one in rounds):>9.1f}",
            end="",
        )
        for part, width in (("web", 9), ("worker", 8), ("redis", 8)):
            us = statistics.median(one.us.get(part, 0.0) for one in rounds)
            print(f"{us:>{width}.0f}", end="")
        print(flush=True)


if __name__ == "__main__":
    main()
