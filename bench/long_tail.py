"""The long tail: many topics with one subscriber each, all pinged at once.

    python -m bench.long_tail [--topics 10000] [--rounds 3] [--workers 1]

From the first ping to the last delivery. Each topic is a feed of 10 entries in 12 kB, of which one
is new each time. The baseline: a libcurl loop that fetches as many, and then signs and posts as
much to the same sink.
"""

import argparse
import time
from dataclasses import dataclass

from bench.bare_loop import get_all, post_all
from bench.hub_under_test import Hub, hub
from bench.poster import form, post_all_forms
from bench.processes import Spent
from bench.sink import Sink, sink
from bench.site import ENTRY_BYTES, Site, site

TOGETHER = 100
WITHIN_S = 120.0
PARTS = ("web", "worker", "redis", "sink", "site")


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round came to; processor time for each topic."""

    per_s: float
    bare_per_s: float
    us: dict[str, float]


def measure(topics: int, rounds: int, workers: int) -> tuple[float, list[Round]]:
    """Returns the handshakes per second of subscribing, first fetches included, and the rounds."""
    with sink() as receiver, site() as pages, hub(workers) as under_test:
        urls = [pages.new(number) for number in range(topics)]
        callbacks = [receiver.callback(number) for number in range(topics)]
        taken_s = under_test.subscribe_all(list(zip(urls, callbacks, strict=True)))
        measured = []
        for _ in range(rounds):
            body = b"y" * (ENTRY_BYTES + 600)
            bare_s = get_all(urls) + post_all(callbacks, body)
            measured.append(_round(receiver, pages, under_test, urls, bare_s))
        return topics / taken_s, measured


def _round(receiver: Sink, pages: Site, under_test: Hub, urls: list[str], bare_s: float) -> Round:
    pings = [
        b"&".join((form(mode="publish"), *(form(url=url) for url in urls[at : at + TOGETHER])))
        for at in range(0, len(urls), TOGETHER)
    ]
    parts = under_test.parts()
    parts |= {"sink": receiver.nginx.processes(), "site": pages.nginx.processes()}
    spent = Spent(parts)
    before = receiver.count()
    began_s = time.time()
    with spent.measured():
        post_all_forms(under_test.port, pings, status=204, at_once=4)
        taken_s = receiver.until(before + len(urls), WITHIN_S) - began_s
        # What is settled after the last delivery is part of the cost, and the counters tick.
        time.sleep(0.1)
    return Round(
        per_s=len(urls) / taken_s,
        bare_per_s=len(urls) / bare_s,
        us={name: cpu_s / len(urls) * 1e6 for name, cpu_s in spent.cpu_s.items()},
    )


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--topics", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    verified_per_s, measured = measure(given.topics, given.rounds, given.workers)
    print(f"subscribed, first fetches included: {verified_per_s:,.0f} per s")
    print(f"{'topics':>10}{'per s':>9}{'bare/s':>9}{'ratio':>8}   us:", end="")
    print("".join(f"{part:>8}" for part in PARTS))
    for one in measured:
        print(
            f"{given.topics:>10,}{one.per_s:>9,.0f}{one.bare_per_s:>9,.0f}"
            f"{one.per_s / one.bare_per_s:>8.2f}      "
            + "".join(f"{one.us[part]:>8.0f}" for part in PARTS),
            flush=True,
        )


if __name__ == "__main__":
    main()
