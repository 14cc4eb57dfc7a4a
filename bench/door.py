"""The door alone, between the bare loop and the hub: what its bounds cost a delivery.

    python -m bench.door [--requests 10000] [--rounds 7]

The same signed posts to the same sink: by the bare libcurl loop, and through the door (its thread,
the guard, limits per host, deadlines, sockets watched one by one), handed in 256 at a time as
buckets are, with nobody who claims, reads or settles anything.
"""

import argparse
import asyncio
import ipaddress
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bench.bare_loop import post_all
from bench.sink import sink
from hub.outbound.door import Door, DoorConfig
from hub.outbound.request import Addressee, Answer, Purpose, Request, TooLong
from hub.protocol.delivery import delivery_headers, link_header

BODY_BYTES = 10_300
TOGETHER = 256
WITHIN_S = 60.0


@dataclass(slots=True)
class Took:
    """What so many posts took, in seconds of the clock and of the processor."""

    seconds: float = 0.0
    cpu_s: float = 0.0


@contextmanager
def _timed() -> Iterator[Took]:
    took = Took(time.perf_counter(), time.process_time())
    yield took
    took.seconds = time.perf_counter() - took.seconds
    took.cpu_s = time.process_time() - took.cpu_s


async def _through(door: Door, callbacks: Sequence[str], body: bytes) -> None:
    request = Request(
        purpose=Purpose.DELIVERY,
        method="POST",
        url="",
        headers=delivery_headers(
            content_type="application/atom+xml",
            link=link_header(["http://hub.example/"], "http://topic.example/"),
            webhook_id="1-0",
        ),
        body=body,
        deadline_s=WITHIN_S,
        max_body_bytes=16_384,
        too_long=TooLong.CUT,
    )
    addressees = [Addressee(url, b"secret-%d" % n) for n, url in enumerate(callbacks)]
    batches = []
    for start in range(0, len(addressees), TOGETHER):
        batches.append(door.send_to(request, addressees[start : start + TOGETHER]))
        # One more is handed in while the last one ends, as the stations do.
        if len(batches) > 1:
            await batches[-2].until_open(0, timeout_s=WITHIN_S)
    await batches[-1].until_open(0, timeout_s=WITHIN_S)
    for batch in batches:
        if not all(isinstance(one.result(), Answer) for one in batch.sendings):
            raise SystemExit("Some of the door's requests failed.")


async def measure(requests: int, rounds: int) -> list[tuple[Took, Took]]:
    """Returns what the bare loop and the door took, in turns."""
    body = b"y" * BODY_BYTES
    loopback = (ipaddress.ip_network("127.0.0.0/8"),)
    door = Door(DoorConfig(user_agent="bench", callbacks_allow=loopback))
    door.start()
    measured: list[tuple[Took, Took]] = []
    with sink() as receiver:
        callbacks = [receiver.callback(number) for number in range(requests)]
        for _ in range(rounds):
            with _timed() as bare:
                await asyncio.to_thread(post_all, callbacks, body)
            with _timed() as through:
                await _through(door, callbacks, body)
            measured.append((bare, through))
    await door.stop()
    return measured


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    measured = asyncio.run(measure(given.requests, given.rounds))
    print(f"{'':12}{'per s':>9}{'ratio':>8}{'cpu us':>9}")
    ratio = statistics.median(bare.seconds / door.seconds for bare, door in measured)
    for name, column, beside in (("bare loop", 0, 1.0), ("door", 1, ratio)):
        seconds = statistics.median(row[column].seconds for row in measured)
        cpu_us = statistics.median(row[column].cpu_s for row in measured) / given.requests * 1e6
        print(f"{name:12}{given.requests / seconds:>9,.0f}{beside:>8.2f}{cpu_us:>9.0f}", flush=True)


if __name__ == "__main__":
    main()
