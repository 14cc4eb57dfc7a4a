"""How full Redis is: asked rarely, and never in the way of who asks."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.store import memory
from hub.store.memory import Memory, memory_fault
from tests.store.own_server import OwnServer
from tests.workers.waiting import eventually_true

pytestmark = pytest.mark.slow


@pytest.fixture
async def looked_at(own_server: OwnServer) -> AsyncIterator[Memory]:
    looked_at = Memory(own_server.url)
    yield looked_at
    await looked_at.close()


def looks(server: OwnServer) -> int:
    with server.redis() as redis:
        stats: Any = redis.info("commandstats")
        return int(stats.get("cmdstat_info", {"calls": 0})["calls"])


@pytest.mark.parametrize(
    ("used_bytes", "max_bytes", "is_short"),
    [(799, 1000, False), (800, 1000, True), (2000, 1000, True), (10**12, 0, False)],
    ids=["below 80 %", "80 %", "more than all", "no limit"],
)
def test_from_80_percent_on_there_is_no_room(
    used_bytes: int, max_bytes: int, is_short: bool
) -> None:
    fault = memory_fault(used_bytes=used_bytes, max_bytes=max_bytes)
    assert (fault is not None) is is_short


async def test_however_often_it_is_asked_redis_is_asked_once_a_second(
    looked_at: Memory, own_server: OwnServer
) -> None:
    before = looks(own_server)
    for _ in range(1_000):
        await looked_at.shortage()
    # Itself, and what this test asks for; a slow machine may take a second for it.
    assert looks(own_server) - before <= 3


async def test_a_redis_that_fills_is_noticed_and_one_that_empties_too(
    looked_at: Memory, own_server: OwnServer
) -> None:
    async def is_short() -> bool:
        return await looked_at.shortage() is not None

    async def has_room() -> bool:
        return await looked_at.shortage() is None

    assert await has_room()
    with own_server.redis() as redis:
        redis.config_set("maxmemory", 1)
        await eventually_true(is_short, 3 * memory.LOOK_EACH_S)
        redis.config_set("maxmemory", 0)
        await eventually_true(has_room, 3 * memory.LOOK_EACH_S)


async def test_a_redis_that_is_away_is_no_matter_of_room(
    looked_at: Memory, own_server: OwnServer
) -> None:
    own_server.kill()
    assert await looked_at.shortage() is None
    own_server.start("--maxmemory", "1")

    async def is_short() -> bool:
        return await looked_at.shortage() is not None

    await eventually_true(is_short, 3 * memory.LOOK_EACH_S)
