"""Fan-out: one topic, a 10 kB entry, each subscriber with a secret of its own.

    python -m bench.fanout [--subscribers 1000,10000] [--workers 1] [--rounds 3]

From the append of the event to the last delivery, beside what a bare libcurl loop needs for the
same requests to the same sink in the same run, and what wrk posts of the same body with one thread,
unsigned, where it is installed. Redis runs with `appendfsync always`.
"""

import argparse
import asyncio
import math
import shutil
import statistics
from dataclasses import dataclass

from bench.bare_loop import post_all
from bench.figures import keep
from bench.hub_under_test import Hub, Publisher, hub, publisher
from bench.sink import Sink, sink
from bench.wrk import post_for

ENTRY_BYTES = 10_000
WITHIN_S = 120.0
WRK_S = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One event delivered to all."""

    seconds: float
    worker_cpu_s: float


async def _deliver(site: Publisher, under_test: Hub, receiver: Sink, subscribers: int) -> Round:
    workers = under_test.workers()
    cpu_s = sum(worker.cpu_s() for worker in workers)
    before = receiver.count()
    site.number += 1
    await under_test.ping(site.url)
    ended_s = await asyncio.to_thread(receiver.until, before + subscribers, WITHIN_S)
    # The counters of the processor tick in hundredths of a second.
    await asyncio.sleep(0.05)
    return Round(
        seconds=ended_s - under_test.head_s(site.url),
        worker_cpu_s=sum(worker.cpu_s() for worker in workers) - cpu_s,
    )


async def _measure(subscribers: int, workers: int, rounds: int) -> None:
    with sink() as receiver, hub(workers) as under_test:
        async with publisher(ENTRY_BYTES) as site:
            callbacks = [receiver.callback(number) for number in range(subscribers)]
            empty_bytes = under_test.redis_bytes()
            verified_s = await under_test.subscribe(site.url, callbacks)
            each_bytes = (under_test.redis_bytes() - empty_bytes) / subscribers
            body = b"y" * (ENTRY_BYTES + 300)
            wrk_per_s = await asyncio.to_thread(_posted_by_wrk, receiver, body)
            bare: list[float] = []
            measured: list[Round] = []
            for _ in range(rounds):
                bare.append(await asyncio.to_thread(post_all, callbacks, body))
                measured.append(await _deliver(site, under_test, receiver, subscribers))
            rss = max(worker.rss_bytes() for worker in under_test.workers()) / 1e6
    seconds = statistics.median(one.seconds for one in measured)
    cpu_us = statistics.median(one.worker_cpu_s for one in measured) / subscribers * 1e6
    ratio = statistics.median(b / m.seconds for b, m in zip(bare, measured, strict=True))
    print(
        f"{subscribers:>11,} {seconds:>9.3f} {subscribers / seconds:>9,.0f} "
        f"{subscribers / statistics.median(bare):>9,.0f} {ratio:>7.2f} {wrk_per_s:>9,.0f} "
        f"{cpu_us:>8.0f} "
        f"{rss:>7.0f} {each_bytes:>9.0f} {subscribers / verified_s:>9,.0f}",
        flush=True,
    )
    keep(
        "fanout",
        subscribers=subscribers,
        workers=workers,
        seconds=seconds,
        bare_seconds=statistics.median(bare),
        worker_cpu_s=cpu_us * subscribers / 1e6,
    )


def _posted_by_wrk(receiver: Sink, body: bytes) -> float:
    """How many a second; not a number where it is not installed."""
    if shutil.which("wrk") is None:
        return math.nan
    return post_for(WRK_S, receiver.nginx.port, [body]).per_s


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", default="1000,10000")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print(
        "subscribers   seconds     per s    bare/s   ratio     wrk/s   cpu us  rss MB   B/subs.  "
        "verified/s"
    )
    for count in given.subscribers.split(","):
        asyncio.run(_measure(int(count), given.workers, given.rounds))


if __name__ == "__main__":
    main()
