"""That a topic has a newer event, for those who hold one of its buckets and wait for answers."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

Heard = asyncio.Future[None]


class Newer:
    """Who waits, by topic; the bell tells of newer events."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[Heard]] = defaultdict(set)

    def hear(self, topic_id: str) -> None:
        """Tells all who hold a bucket of this topic."""
        for heard in self._waiting.get(topic_id, ()):
            if not heard.done():
                heard.set_result(None)

    @contextmanager
    def watch(self, topic_id: str) -> Iterator[Heard]:
        """Yields what is done once a newer event was heard of."""
        heard = asyncio.get_running_loop().create_future()
        self._waiting[topic_id].add(heard)
        try:
            yield heard
        finally:
            waiting = self._waiting[topic_id]
            waiting.remove(heard)
            if not waiting:
                del self._waiting[topic_id]
