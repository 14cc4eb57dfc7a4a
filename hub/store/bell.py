"""The doorbell: scripts publish a list's name when work falls due in it that was idle.

They publish a topic as well, where an event comes while somebody works on one of its buckets.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

RECONNECT_AFTER_S = 0.5
# Before a topic's id: one of its buckets that are worked on has a newer event to deliver.
NEWER_EVENT = "ready "


async def rings(url: str, key_prefix: str) -> AsyncIterator[str]:
    """Yields the name of each list that rings, or NEWER_EVENT and a topic, for ever.

    Survives Redis being away. A ring may be lost while there is no connection: who listens looks
    at its lists by itself each second as well.
    """
    while True:
        with suppress(RedisError, OSError):
            async with Redis.from_url(url) as redis, redis.pubsub() as bell:
                await bell.subscribe(f"{key_prefix}:1:bell")
                async for message in bell.listen():
                    if message["type"] == "message":
                        yield message["data"].decode()
        await asyncio.sleep(RECONNECT_AFTER_S)
