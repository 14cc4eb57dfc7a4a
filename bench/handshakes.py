"""Handshakes per second, from the request to the verified subscription, and what each one holds.

    python -m bench.handshakes [--subscriptions 10000] [--rounds 3] [--workers 1]

The baseline, at the same time on the same cores: an aiohttp handler that reads as many of the same
forms, and a libcurl loop that asks as many callbacks; the slower of the two counts.
"""

import argparse
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlencode

from bench.bare_loop import get_all
from bench.bare_web import bare_web
from bench.hub_under_test import Hub, hub, secret
from bench.poster import form, post_all_forms
from bench.processes import Spent
from bench.sink import CALLBACK_BYTES, Sink, sink
from bench.site import site

AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one round came to, for each subscription."""

    per_s: float
    bare_per_s: float
    redis_bytes: float
    us: dict[str, float]


def measure(subscriptions: int, rounds: int, workers: int) -> list[Figures]:
    """Returns the rounds; each is a topic of its own, whose document the hub has read before."""
    measured = []
    with sink() as receiver, site() as pages, hub(workers) as under_test, bare_web() as (port, _):
        for number in range(rounds):
            callbacks = [receiver.callback(one) for one in range(subscriptions + 1)]
            topic = pages.same(number)
            bare_s = _bare_s(port, topic, callbacks[1:])
            measured.append(_round(receiver, under_test, topic, callbacks, bare_s))
    return measured


def _round(
    receiver: Sink, under_test: Hub, topic: str, callbacks: list[str], bare_s: float
) -> Figures:
    under_test.subscribe_all([(topic, callbacks[0])])
    count = len(callbacks) - 1
    before_bytes = under_test.redis_bytes()
    spent = Spent({**under_test.parts(), "sink": receiver.nginx.processes()})
    with spent.measured():
        taken_s = under_test.subscribe_all([(topic, callback) for callback in callbacks[1:]])
    return Figures(
        per_s=count / taken_s,
        bare_per_s=count / bare_s,
        redis_bytes=(under_test.redis_bytes() - before_bytes) / count,
        us={name: cpu_s / count * 1e6 for name, cpu_s in spent.cpu_s.items()},
    )


def _bare_s(port: int, topic: str, callbacks: list[str]) -> float:
    bodies = [
        form(mode="subscribe", topic=topic, callback=callback, secret=secret(number))
        for number, callback in enumerate(callbacks)
    ]
    query = urlencode(
        {"hub.mode": "subscribe", "hub.topic": topic, "hub.challenge": "c" * 32}, safe=""
    )
    posting = threading.Thread(
        target=post_all_forms, args=(port, bodies), kwargs={"status": 204, "at_once": AT_ONCE}
    )
    began_s = time.perf_counter()
    posting.start()
    get_all([f"{callback}?{query}" for callback in callbacks])
    posting.join()
    return time.perf_counter() - began_s


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscriptions", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    print(
        f"{'handshakes':>10}{'per s':>9}{'bare/s':>9}{'ratio':>8}"
        f"{'us: web':>9}{'worker':>8}{'redis':>8}{'sink':>7}{'bytes each':>12}{'of content':>12}"
    )
    for one in measure(given.subscriptions, given.rounds, given.workers):
        us = {name: f"{value:.0f}" for name, value in one.us.items()}
        print(
            f"{given.subscriptions:>10,}{one.per_s:>9,.0f}{one.bare_per_s:>9,.0f}"
            f"{one.per_s / one.bare_per_s:>8.2f}{us['web']:>9}{us['worker']:>8}{us['redis']:>8}"
            f"{us['sink']:>7}{one.redis_bytes:>12.0f}{CALLBACK_BYTES + len(secret(0)):>12}",
            flush=True,
        )


if __name__ == "__main__":
    main()
