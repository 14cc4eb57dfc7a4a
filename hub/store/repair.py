"""Queues what the records say is behind and the work lists do not hold (invariant 9)."""

import asyncio
from collections.abc import AsyncIterator

from hub.store.commit import GroupCommit

SLICE = 100


class Repair:
    """The slow pass over all topics and pending requests."""

    def __init__(self, commit: GroupCommit) -> None:
        self._commit = commit

    async def run(self, *, pause_s: float = 0.0) -> AsyncIterator[int]:
        """Yields, after each slice, how many things were missing in it.

        Args:
            pause_s: between slices, so that a pass over many topics leaves Redis to others.
        """
        async for missing in self._requests():
            yield missing
        async for missing in self._origins():
            yield missing
        cursor = b"0"
        while True:
            cursor, topics = await self._commit.call("list_topics", cursor, SLICE)
            found = await asyncio.gather(*(self._topic(topic) for topic in topics))
            yield sum(found)
            if cursor == b"0":
                return
            await asyncio.sleep(pause_s)

    async def _requests(self) -> AsyncIterator[int]:
        after = 0
        while after >= 0:
            after, missing = await self._commit.call("repair_requests", after, SLICE)
            yield missing

    async def _origins(self) -> AsyncIterator[int]:
        cursor = b""
        while cursor != b"0":
            cursor, missing = await self._commit.call("repair_origins", cursor or b"0")
            yield missing

    async def _topic(self, topic_id: bytes) -> int:
        start, total = 0, 0
        while True:
            start, missing = await self._commit.call("repair_topic", topic_id, start)
            total += int(missing)
            if start == 0:
                return total
