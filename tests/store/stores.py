"""A store of Redis's own clock, and a request to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from hub.protocol.requests import Mode, SignatureMethod, SubscriptionRequest
from hub.store.limits import Limits
from hub.store.results import StoreUnavailable
from hub.store.scripts import load_scripts
from hub.store.store import Store
from tests.store.scene import ONE, TOPIC

DEADLINE_S = 15


def request(callback: str = ONE) -> SubscriptionRequest:
    return SubscriptionRequest(
        mode=Mode.SUBSCRIBE, topic=TOPIC, callback=callback, secret=b"", lease_s=3_600,
        verify_token=None, signature=SignatureMethod.SHA256, content=None,
    )  # fmt: skip


@asynccontextmanager
async def store_at(url: str, prefix: str, *, replicas: int = 0) -> AsyncIterator[Store]:
    scripts = load_scripts(key_prefix=prefix, limits=Limits())
    store = Store(url, scripts, randomness="r", replicas_to_wait_for=replicas)
    try:
        yield store
    finally:
        await store.close()


async def until_available(act: Callable[[], Awaitable[object]]) -> None:
    """Repeats until Redis is there, as a worker would."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                await act()
            except StoreUnavailable:
                await asyncio.sleep(0.01)
            else:
                return
