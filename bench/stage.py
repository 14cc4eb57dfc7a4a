"""What a scene of `bench.fairness` is played with, and what comes of it."""

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.hub_under_test import Hub
from bench.news import News, publish
from bench.receivers import Account, Receivers

Pairs = list[tuple[str, str]]
ARRIVED_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """How large a scene is."""

    seconds: float
    callbacks: int
    small_topics: int
    large_topic: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What the healthy receivers saw, and whatever else is worth telling."""

    taken_ms: list[float]
    missing: int
    remark: str = ""

    def cut_ms(self, percent: int) -> float:
        """A percentile of the time taken; not a number where next to nothing arrived."""
        if len(self.taken_ms) < 2:
            return float("nan")
        return statistics.quantiles(self.taken_ms, n=100, method="inclusive")[percent - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What every scene is played with."""

    given: Given
    hub: Hub
    site: News
    healthy: Receivers
    bad: Receivers

    def publish(
        self, topics: Sequence[str], *, each_s: float = 1.0, for_s: float | None = None
    ) -> dict[tuple[str, int], float]:
        """Publishes in turn for as long as is given; returns when each ping was answered."""
        for_s = self.given.seconds if for_s is None else for_s
        return publish(self.site, self.hub.port, topics, each_s=each_s, for_s=for_s)

    def run(self, pairs: Pairs, answered_at_s: Mapping[tuple[str, int], float]) -> Run:
        """Waits until these have everything; returns how long it took."""
        wanted = {
            (path_of(callback), number): at_s
            for topic, callback in pairs
            for (pinged, number), at_s in answered_at_s.items()
            if pinged == topic
        }
        ends_at_s = time.monotonic() + ARRIVED_WITHIN_S
        while True:
            arrived_at_s = _first_arrivals(self.healthy.account())
            missing = wanted.keys() - arrived_at_s.keys()
            if not missing or time.monotonic() > ends_at_s:
                break
            time.sleep(0.5)
        taken_ms = [
            (arrived_at_s[one] - at_s) * 1000 for one, at_s in wanted.items() if one not in missing
        ]
        return Run(taken_ms=taken_ms, missing=len(missing))


def path_of(callback: str) -> str:
    """The path of a callback, by which its deliveries are known."""
    return "/" + callback.split("/", 3)[3]


def arrivals(account: Account) -> Iterator[tuple[tuple[str, int], float]]:
    """Path and entry of each delivery, and when it came."""
    for delivery in account.deliveries:
        for number in delivery.entries:
            yield (delivery.path, number), delivery.at_s


def _first_arrivals(account: Account) -> dict[tuple[str, int], float]:
    # In the order of arrival: the first one stays.
    return dict(reversed(list(arrivals(account))))
