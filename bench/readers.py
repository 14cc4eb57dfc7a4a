"""Readers without a callback: one event to thousands of streams, and long polls that come back.

    python -m bench.readers [--readers 5000] [--events 40] [--polls 1000]

The streams are server-sent events of one topic of the hub's own, all in one web process, read by
another. The baseline is an asyncio loop that writes the same bytes to as many connections.
"""

import argparse
import asyncio
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import aiohttp

from bench.figures import keep
from bench.hub_under_test import Hub, hub
from bench.processes import Process
from bench.streams import Receipts, Streams, bare_loop, streams

EVENT_BYTES = 200
TOKEN = "a-token-for-the-bench"
SETTINGS = {"PUBLISH_TOKENS": TOKEN, "READERS_PER_ADDRESS": "20000"}
# Of both, before anything is measured.
WARM_UP = 5
PAUSE_S = 0.1
POLL_EVENTS_PER_S = 5
POLLS_WITHIN_S = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOut:
    """How events of one run went out.

    Attributes:
        spread_s: of one event, from the first reader's receipt to the last one's; the median.
        cpu_s: of the writing process, each event.
        late_s: of each event and reader, from the append to the receipt; sorted.
    """

    spread_s: float
    cpu_s: float
    late_s: tuple[float, ...] = ()


class Publisher:
    """POSTs content to a topic of the hub's own."""

    def __init__(self, under_test: Hub, client: aiohttp.ClientSession, name: str) -> None:
        self.topic = f"{under_test.url}t/{name}"
        self._client = client
        self._number = 0

    @property
    def events(self) -> str:
        """The target of its events."""
        return f"/events?topic={quote(self.topic, safe='')}"

    async def publish(self) -> str:
        """Publishes; returns the id of the event, which is one of `EVENT_BYTES`."""
        self._number += 1
        body = f"{self._number:06}".ljust(EVENT_BYTES - self._envelope_bytes(), ".")
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/plain"}
        async with self._client.post(self.topic, data=body, headers=headers) as answer:
            assert answer.status == 202, await answer.text()
            return answer.headers["Webhook-Id"]

    def _envelope_bytes(self) -> int:
        at = "1764000000000-0"
        fields = {
            "type": "event",
            "id": at,
            "topic": self.topic,
            "time": "2025-11-24T16:00:00.000Z",
        }
        fields |= {"content_type": "text/plain", "body": ""}
        return len(json.dumps(fields, separators=(",", ":"))) + len(f"id: {at}\ndata: \n\n")


async def fan_out(under_test: Hub, publisher: Publisher, count: int, events: int) -> None:
    """Prints how the hub and the baseline write to so many streams."""
    (web,) = under_test.parts()["web"]
    await publisher.publish()
    with streams(under_test.port, publisher.events, 100):
        pass
    await asyncio.sleep(1)
    before = web.rss_bytes()
    with streams(under_test.port, publisher.events, count) as reading:
        held = (web.rss_bytes() - before) / count
        ours = await _published(publisher, reading, web, events)
        held_after = (web.rss_bytes() - before) / count
    with bare_loop() as bare, streams(bare.port, "/", count) as reading:
        event = b"x" * (EVENT_BYTES - 2) + b"\n\n"
        base = await asyncio.to_thread(
            _written, lambda: bare.write(event), reading, bare.process, events
        )
    p50, p99 = (statistics.quantiles(ours.late_s, n=100)[cut] * 1000 for cut in (49, 98))
    for name, one in (("bare loop", base), ("hub", ours)):
        print(
            f"{name:12}{one.spread_s * 1000:>10.1f}{count / one.spread_s:>12,.0f}"
            f"{one.cpu_s * 1000:>10.1f}{base.spread_s / one.spread_s:>8.2f}"
            f"{base.cpu_s / one.cpu_s:>8.2f}"
        )
    print(f"from append to receipt: p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    print(f"a connection takes {held / 1000:.1f} kB, after the events {held_after / 1000:.1f} kB")
    keep("readers", count=count, ratio=base.spread_s / ours.spread_s, p99_ms=p99, bytes=held_after)


async def _published(publisher: Publisher, reading: Streams, web: Process, events: int) -> FanOut:
    found: list[tuple[str, Receipts]] = []
    spent_s = 0.0
    for number in range(WARM_UP + events):
        before_s = web.cpu_s()
        event_id = await publisher.publish()
        receipts = await asyncio.to_thread(reading.receipts)
        await asyncio.sleep(PAUSE_S)
        assert receipts.event_bytes == EVENT_BYTES, receipts.event_bytes
        if number >= WARM_UP:
            spent_s += web.cpu_s() - before_s
            found.append((event_id, receipts))
    late_s = [at - int(id_.partition("-")[0]) / 1000 for id_, one in found for at in one.at_s]
    return FanOut(
        spread_s=statistics.median(one.spread_s for _, one in found),
        cpu_s=spent_s / events,
        late_s=tuple(sorted(late_s)),
    )


def _written(write: Callable[[], None], reading: Streams, bare: Process, events: int) -> FanOut:
    spreads_s = []
    spent_s = 0.0
    for number in range(WARM_UP + events):
        before_s = bare.cpu_s()
        write()
        spread_s = reading.receipts().spread_s
        time.sleep(PAUSE_S)
        if number >= WARM_UP:
            spent_s += bare.cpu_s() - before_s
            spreads_s.append(spread_s)
    return FanOut(spread_s=statistics.median(spreads_s), cpu_s=spent_s / events)


async def long_polls(under_test: Hub, publisher: Publisher, count: int, events: int) -> None:
    """Prints what so many readers got that come back with the cursor of each answer."""
    await publisher.publish()
    connector = aiohttp.TCPConnector(limit=0)
    url = f"{under_test.url.rstrip('/')}{publisher.events}"
    async with aiohttp.ClientSession(connector=connector) as client:
        async with client.get(url) as answer:
            cursor = (await answer.json())["next"]
        polls = [asyncio.create_task(_poll(client, url, cursor, events)) for _ in range(count)]
        await asyncio.sleep(3)
        published = []
        for _ in range(events):
            published.append(await publisher.publish())
            await asyncio.sleep(1 / POLL_EVENTS_PER_S)
        began_s = time.perf_counter()
        done, waiting = await asyncio.wait(polls, timeout=POLLS_WITHIN_S)
        taken_s = time.perf_counter() - began_s
        for task in waiting:
            task.cancel()
    _tell(published, [task.result() for task in done], len(waiting), taken_s)


def _tell(
    published: Sequence[str], found: Sequence[tuple[list[str], int]], waiting: int, taken_s: float
) -> None:
    lost = sum(len(set(published) - set(got)) for got, _ in found)
    doubled = sum(len(got) - len(set(got)) for got, _ in found)
    disordered = sum(got != sorted(got, key=_order) for got, _ in found)
    answers = sum(asked for _, asked in found)
    print(f"{len(found) + waiting:,} long polls, {len(published)} events: {answers:,} answers; "
          f"lost {lost}, doubled {doubled}, out of order {disordered}, still waiting {waiting}; "
          f"all had the last {taken_s:.1f} s after it")  # fmt: skip
    if lost or doubled or disordered or waiting:
        raise SystemExit(1)


def _order(event_id: str) -> tuple[int, int]:
    ms, _, number = event_id.partition("-")
    return int(ms), int(number)


async def _poll(
    client: aiohttp.ClientSession, url: str, cursor: str, events: int
) -> tuple[list[str], int]:
    got: list[str] = []
    answers = 0
    while len(got) < events:
        async with client.get(f"{url}&after={cursor}&wait=30") as answer:
            assert answer.status == 200, await answer.text()
            found = await answer.json()
        answers += 1
        got += [event["id"] for event in found["events"]]
        cursor = found["next"]
    return got, answers


async def measure(readers: int, events: int, polls: int) -> None:
    """Prints all of it."""
    with hub() as under_test:
        async with aiohttp.ClientSession() as client:
            await fan_out(under_test, Publisher(under_test, client, "streams"), readers, events)
            await long_polls(under_test, Publisher(under_test, client, "polls"), polls, events)


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=5000)
    parser.add_argument("--events", type=int, default=40)
    parser.add_argument("--polls", type=int, default=1000)
    given = parser.parse_args()
    os.environ |= {f"WEBSUB_HUB_{name}": value for name, value in SETTINGS.items()}
    print(f"{'':12}{'spread ms':>10}{'writes/s':>12}{'CPU ms':>10}{'ratio':>8}{'of CPU':>8}")
    asyncio.run(measure(given.readers, given.events, given.polls))


if __name__ == "__main__":
    main()
