"""The records of a hub, opened for one command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.exceptions import RedisError

from hub.clock import token_hex
from hub.errors import HubError
from hub.settings import Settings
from hub.store.store import Store

_RANDOM_BYTES = 8


class RedisUnusable(HubError):
    """This Redis, or this URL of it, cannot be worked with."""


@asynccontextmanager
async def records(settings: Settings) -> AsyncIterator[Store]:
    """Yield the records in the Redis that is set.

    Raises:
        RedisUnusable: the URL leads nowhere, or Redis refuses what the command asks of it.
        StoreUnavailable: Redis is away, or lets nobody in with this URL.
    """
    assert settings.redis_url is not None
    url = settings.redis_url.get_secret_value()
    try:
        store = Store.of(settings, url, randomness=token_hex(_RANDOM_BYTES))
    except ValueError as error:
        raise RedisUnusable(f"WEBSUB_HUB_REDIS_URL leads to no Redis: {error}") from error
    try:
        yield store
    except RedisError as error:
        raise RedisUnusable(f"Redis refuses: {error}") from error
    finally:
        await store.close()
