"""A feed that lives: each version has a new entry, and now and then a changed one."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from tests.workers.feeds import atom, entries_of
from tests.workers.sites import Callback

WINDOW = 30
CHANGED_EACH = 3


@dataclass(slots=True)
class Series:
    """What was published so far, and what a receiver should have of it.

    Attributes:
        news: how many new or changed entries each version brought, as `name=title`, in order.
    """

    titles: dict[str, str] = field(default_factory=dict)
    news: list[str] = field(default_factory=list)

    def next(self) -> bytes:
        """Returns the next version."""
        number = len(self.titles)
        self._set(f"e{number}", f"v{number}")
        if number % CHANGED_EACH == CHANGED_EACH - 1:
            self._set(f"e{number - 1}", f"v{number}")
        newest = list(self.titles.items())[-WINDOW:]
        return atom(*(f"{name}={title}" for name, title in reversed(newest)))

    def _set(self, name: str, title: str) -> None:
        self.titles[name] = title
        self.news.append(f"{name}={title}")

    def is_complete(self, callback: Callback) -> bool:
        """Returns whether a receiver has the last version of every entry but the first."""
        return self._held(callback) == {n: t for n, t in self.titles.items() if n != "e0"}

    def faults(self, callback: Callback, *, repeats_max: int) -> list[str]:
        """Returns what a receiver got out of order, or more often than may be."""
        ids = [delivery.header("webhook-id") or "" for delivery in callback.deliveries]
        ends = [_number(text.rpartition("..")[2]) for text in ids]
        found = [f"{b} after {a}" for a, b in pairwise(ends) if b < a]
        repeats = sum(count - 1 for count in Counter(ids).values())
        if repeats > repeats_max:
            found.append(f"{repeats} repeated: {ids}")
        return found

    @staticmethod
    def _held(callback: Callback) -> dict[str, str]:
        held: dict[str, str] = {}
        for delivery in callback.deliveries:
            for entry in entries_of(delivery.body):
                name, _, title = entry.partition("=")
                held[name] = title
        return held


def _number(event_id: str) -> tuple[int, ...]:
    return tuple(map(int, event_id.split("-")))
