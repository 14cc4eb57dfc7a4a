"""What reading, comparing and merging feeds costs, beside lxml and feedparser on the same bytes.

Prints ratios of CPU time, all measured in one run, and peak memory in bytes per byte of the feed:

    python -m bench.feeds
"""

import asyncio
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import feedparser
from lxml import etree

from bench.feed_samples import atom, rss
from hub.feeds.diff import Seen, diff
from hub.feeds.document import Feed, read_document
from hub.feeds.fat_ping import cut, merge

SIZES = (100_000, 1_000_000, 5_000_000)
# Words in an entry: an article in full, and an episode with a line or two.
LONG, SHORT = 1_300, 40
EVENTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One feed; times in ms of CPU."""

    name: str
    entries: int
    lxml_ms: float
    first_ms: float
    again_ms: float
    feedparser_ms: float
    peak: float


def read(body: bytes, seen: dict[bytes, Seen] | None = None) -> Feed:
    """Return the feed, or fail."""
    feed = read_document(body, "", seen)
    assert isinstance(feed, Feed), feed
    return feed


def least_ms(action: Callable[[], object], times: int) -> float:
    """Return the least CPU time that an action has taken, in ms."""
    taken = []
    for _ in range(times):
        started_s = time.process_time()
        action()
        taken.append(time.process_time() - started_s)
    return min(taken) * 1000


def measure(name: str, body: bytes, *, is_feedparser_wanted: bool) -> Row:
    """Return what one feed costs, its first entry new and all others seen before."""
    marker = b"</title>"
    at = body.index(marker, body.index(b"<item" if b"<rss" in body else b"<entry"))
    newer = body[:at] + b" changed" + body[at:]
    seen = dict(diff(read(body), {}, number=1).updates)
    times = 15 if len(body) < 1_000_000 else 5

    def first() -> None:
        diff(read(newer), {}, number=2)

    def again() -> None:
        assert len(diff(read(newer, seen), seen, number=2).news) == 1

    return Row(
        name=name,
        entries=len(seen),
        lxml_ms=least_ms(lambda: etree.fromstring(newer), times),
        first_ms=least_ms(first, times),
        again_ms=least_ms(again, times),
        feedparser_ms=least_ms(lambda: feedparser.parse(newer), 1) if is_feedparser_wanted else 0,
        peak=max(peak_bytes(first), peak_bytes(again)) / len(newer),
    )


def peak_bytes(action: Callable[[], object]) -> int:
    """Return how many bytes an action has needed at most at one time."""
    tracemalloc.start()
    action()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def merge_ms() -> float:
    """Return what it takes to merge as many events of one entry each."""
    pings = []
    for number in range(EVENTS):
        feed = read(
            f"<rss><channel><item><guid>{number}</guid>{'x' * 2000}</item></channel></rss>".encode()
        )
        pings.append(cut(feed, feed.entries))
    return least_ms(lambda: merge(pings), 9)


async def stall_ms(body: bytes) -> float:
    """Return for how long the event loop stands still at most while a thread reads a document."""
    reading = asyncio.ensure_future(asyncio.to_thread(read, body))
    longest_s = 0.0
    while not reading.done():
        before_s = time.perf_counter()
        await asyncio.sleep(0.001)
        longest_s = max(longest_s, time.perf_counter() - before_s - 0.001)
    return longest_s * 1000


def main() -> None:
    """Print the table; with `--without-feedparser` in a tenth of the time."""
    is_feedparser_wanted = "--without-feedparser" not in sys.argv
    print("times lxml.etree.fromstring; first: nothing is known yet; again: all but one entry is")
    print(
        f"{'feed':22}{'entries':>8}{'lxml ms':>9}{'first':>7}{'again':>7}{'feedparser':>12}", end=""
    )
    print(f"{'its times':>11}{'peak':>6}")
    for make in (rss, atom):
        for words in (LONG, SHORT):
            for size in SIZES:
                name = f"{make.__name__} {'long' if words == LONG else 'short'} {size // 1000} kB"
                row = measure(name, make(size, words), is_feedparser_wanted=is_feedparser_wanted)
                print(f"{row.name:22}{row.entries:8}{row.lxml_ms:9.2f}", end="")
                print(f"{row.first_ms / row.lxml_ms:7.1f}{row.again_ms / row.lxml_ms:7.1f}", end="")
                print(f"{row.feedparser_ms / row.lxml_ms:12.0f}", end="")
                print(f"{row.feedparser_ms / row.first_ms:11.0f}{row.peak:6.1f}")
    stall = max(asyncio.run(stall_ms(rss(SIZES[-1], words))) for words in (LONG, SHORT))
    print(f"longest stall of the event loop while a thread reads 5 MB: {stall:.0f} ms")
    print(f"merging {EVENTS} events of one entry each: {merge_ms():.2f} ms")


if __name__ == "__main__":
    main()
