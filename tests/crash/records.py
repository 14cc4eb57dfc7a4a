"""What the hub has on record of the one topic of a stage."""

import time
from dataclasses import dataclass
from typing import Any

from hub.store.event_id import EventId
from hub.store.progress import Progress, unpack_progress

SOON_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Reads them, and moves their clock."""

    redis: Any  # redis-py types each answer as one to be awaited, perhaps
    prefix: str
    topic_id: str

    def facts(self) -> dict[bytes, bytes]:
        """Returns the topic record."""
        found: dict[bytes, bytes] = self.redis.hgetall(self._key(f"t:{self.topic_id}"))
        return found

    def head(self) -> EventId:
        return EventId.parse(self.facts().get(b"head"))

    def events(self) -> int:
        """Returns how many there are in the topic's log."""
        return int(self.facts().get(b"log_length", 0))

    def progress(self) -> dict[bytes, Progress]:
        """Returns how far each active subscription is."""
        roster, progress = self._of_buckets("roster"), self._of_buckets("progress")
        return {sid: unpack_progress(progress[sid]) for sid in roster}

    def is_at_rest(self) -> bool:
        """Returns whether nobody holds anything, and no request is pending."""
        return not self.held() and not self.redis.zcard(self._key("requests"))

    def held(self) -> frozenset[bytes]:
        """Returns the tokens of all claims."""
        return self.held_and_due()[0]

    def held_and_due(self) -> tuple[frozenset[bytes], int]:
        """Returns the tokens of all claims and how many things are due, as of one moment.

        What is due within the next second counts as due: that moment is a little ahead.
        """
        moved_ms = int(self.redis.get(f"{self.prefix}:moved") or 0)
        now_ms = time.time() * 1000 + moved_ms + SOON_MS
        lists = ("wl:pinged", "wl:unverified", f"ready:{self.topic_id}")
        with self.redis.pipeline(transaction=True) as moment:
            for name in lists:
                moment.hvals(self._key(f"{name}:claims"))
            for name in (*lists, "wl:ready"):
                moment.zcount(self._key(name), "-inf", now_ms)
            replies = moment.execute()
        claims = [text for texts in replies[: len(lists)] for text in texts]
        tokens = frozenset(text.split(b":", 2)[2] for text in claims)
        return tokens, sum(replies[len(lists) :])

    def move_clock(self, by_s: float) -> None:
        self.redis.incrby(f"{self.prefix}:moved", round(by_s * 1000))

    def _of_buckets(self, record: str) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        for number in range(1, int(self.facts().get(b"buckets", 0)) + 1):
            found |= self.redis.hgetall(self._key(f"{record}:{self.topic_id}.{number}"))
        return found

    def _key(self, name: str) -> str:
        return f"{self.prefix}:1:{name}"
