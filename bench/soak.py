"""Whether memory and descriptors stay what they are under a steady load.

    python -m bench.soak [--minutes 10] [--per-s 2000]

Ten topics that change once a second, with as many subscribers as make that many deliveries. Looks
at each process of the hub every 10 s; after the first minute nothing should grow any more. History
is cut to 50 events a topic, since it grows by design until it is full.
"""

import argparse
import os
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.hub_under_test import Hub, hub
from bench.news import news, publish
from bench.sink import sink

TOPICS = 10
EACH_S = 10.0
WARM_S = 60.0
HISTORY_EVENTS = 50
# Allocators make memory go up and down by as much, and what is known of the entries of a feed
# grows until there are 200 of them: 15 kB a topic.
FLAT_SHARE, FLAT_SLACK = 0.03, 0.5
MIB = 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One look: a figure by its name."""

    at_s: float
    figures: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How one figure went once the hub was warm."""

    first: float
    last: float
    slope_per_minute: float

    @property
    def is_flat(self) -> bool:
        """Whether it came to no more at the end."""
        return self.last <= self.first * (1 + FLAT_SHARE) + FLAT_SLACK


def look(under_test: Hub, at_s: float) -> Sample:
    """Returns memory and open descriptors of all processes of a hub."""
    figures = {"Redis data MB": under_test.redis_bytes() / MIB}
    for name, processes in under_test.parts().items():
        for one in processes:
            figures[f"{name} {one.pid} MB"] = one.rss_bytes() / MIB
            descriptors = list(Path(f"/proc/{one.pid}/fd").iterdir())
            figures[f"{name} {one.pid} descriptors"] = len(descriptors)
    return Sample(at_s=at_s, figures=figures)


def course(samples: list[Sample], name: str) -> Course:
    """Returns how a figure went after the first minute."""
    points = [(one.at_s, one.figures[name]) for one in samples if one.at_s >= WARM_S]
    times, values = zip(*points, strict=True)
    slope = statistics.linear_regression(times, values).slope
    return Course(first=values[0], last=values[-1], slope_per_minute=slope * 60)


def soak(minutes: float, per_s: int) -> Iterator[Sample]:
    """Returns the looks, one by one as time goes on."""
    with sink() as receiver, news() as site, hub() as under_test, ThreadPoolExecutor(1) as beside:
        topics = [site.url(f"topic-{number}") for number in range(TOPICS)]
        under_test.subscribe_all(
            [
                (topic, receiver.callback(number))
                for topic in topics
                for number in range(per_s // TOPICS)
            ]
        )
        before, began_s, for_s = receiver.count(), time.monotonic(), minutes * 60
        pinging = beside.submit(
            publish, site, under_test.port, topics, each_s=1 / TOPICS, for_s=for_s
        )
        while (at_s := time.monotonic() - began_s) < for_s:
            yield look(under_test, at_s)
            time.sleep(EACH_S)
        pinged = len(pinging.result())
        made = receiver.count() - before
        print(f"{made:,} deliveries of {pinged * (per_s // TOPICS):,}", flush=True)


def main() -> None:
    """Prints a table; ends with 1 where something grows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--per-s", type=int, default=2000)
    given = parser.parse_args()
    if given.minutes < 2:
        parser.error("the first minute does not count: --minutes 2 at least")
    os.environ["WEBSUB_HUB_HISTORY_EVENTS"] = str(HISTORY_EVENTS)
    samples = list(soak(given.minutes, given.per_s))
    print(f"{'':28}{'start':>8}{'1 min':>8}{'end':>8}{'a minute':>10}")
    is_flat = True
    for name, start in samples[0].figures.items():
        one = course(samples, name)
        is_flat &= one.is_flat
        print(
            f"{name:28}{start:>8.1f}{one.first:>8.1f}{one.last:>8.1f}{one.slope_per_minute:>+10.2f}"
            + ("" if one.is_flat else "  grows")
        )
    raise SystemExit(0 if is_flat else 1)


if __name__ == "__main__":
    main()
