"""A Redis that would lose what was accepted is refused, or warned of."""

import asyncio
from collections.abc import Iterator

import pytest
from redis import Redis

from hub.store.fitness import Server, UnfitRedis, fit_redis_or_stop, judge_server

DURABLE = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory": "0",
    "maxmemory-policy": "noeviction",
}


@pytest.fixture
def evicting_url(redis_url: str) -> Iterator[str]:
    with Redis.from_url(redis_url) as redis:
        redis.config_set("maxmemory-policy", "allkeys-lru")
        yield redis_url
        redis.config_set("maxmemory-policy", "noeviction")


@pytest.mark.parametrize(
    ("changed", "warnings"),
    [
        pytest.param({}, 0, id="a durable one is fit"),
        pytest.param({"appendonly": "no"}, 1, id="no append-only file is warned of"),
        pytest.param({"appendfsync": "everysec"}, 1, id="a lazy fsync is warned of"),
    ],
)
def test_what_may_be_lost_is_said(changed: dict[str, str], warnings: int) -> None:
    assert len(judge_server(Server(version="6.2.14", settings=DURABLE | changed))) == warnings


def test_a_redis_that_evicts_is_refused() -> None:
    with pytest.raises(UnfitRedis, match="noeviction"):
        judge_server(
            Server(version="7.2.4", settings=DURABLE | {"maxmemory-policy": "volatile-lru"})
        )


@pytest.mark.parametrize("version", ["6.0.16", "5.0.7", "4.0"])
def test_an_old_redis_is_refused(version: str) -> None:
    with pytest.raises(UnfitRedis, match="too old"):
        judge_server(Server(version=version, settings=DURABLE))


def test_one_that_does_not_tell_is_warned_of() -> None:
    assert judge_server(Server(version="7.0.0", settings={}))


async def test_a_real_redis_is_asked(evicting_url: str) -> None:
    with pytest.raises(UnfitRedis, match="allkeys-lru"):
        await fit_redis_or_stop(evicting_url, asyncio.Event())


async def test_a_process_that_waits_for_redis_can_be_stopped() -> None:
    stop = asyncio.Event()
    waiting = asyncio.create_task(fit_redis_or_stop("unix:///nowhere/redis.sock", stop))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    stop.set()
    await asyncio.wait_for(waiting, 1)
