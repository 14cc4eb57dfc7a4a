"""What is new in topics that somebody reads: `append` publishes each event of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import NamedTuple

from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub.store.event_id import EventId

RECONNECT_AFTER_S = 0.5


class News(NamedTuple):
    """One event that was appended; they come in the order of their ids."""

    topic_id: str
    event_id: EventId


async def news(url: str, key_prefix: str) -> AsyncIterator[News | None]:
    """Yields each event that is appended, for ever; survives Redis being away.

    None comes first, and again whenever the connection was made anew: from now on all are heard
    of, and what was appended before may have been missed.
    """
    while True:
        # ValueError: what somebody else published there.
        with suppress(RedisError, OSError, ValueError):
            async with Redis.from_url(url) as redis, redis.pubsub() as channel:
                await channel.subscribe(f"{key_prefix}:1:news")
                async for message in channel.listen():
                    if message["type"] == "subscribe":
                        yield None
                    elif message["type"] == "message":
                        topic_id, _, event_id = message["data"].decode().partition(" ")
                        yield News(topic_id, EventId.parse(event_id))
        await asyncio.sleep(RECONNECT_AFTER_S)
