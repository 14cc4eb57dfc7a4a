"""A Redis that would lose what was accepted is refused, or warned of."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from redis import Redis
from structlog.testing import capture_logs
from structlog.typing import EventDict

from hub.store.fitness import (
    Pace,
    Server,
    UnfitRedis,
    fit_redis_or_stop,
    judge_memory,
    judge_server,
    refuse_unfit,
)
from tests.store.own_server import OwnServer, free_port

DURABLE = {"appendonly": "yes", "appendfsync": "always"}


def server(
    changed: dict[str, str] | None = None,
    *,
    version: str = "6.2.14",
    policy: str = "noeviction",
    max_memory_bytes: int = 0,
) -> Server:
    return Server(
        version=version,
        eviction_policy=policy,
        max_memory_bytes=max_memory_bytes,
        settings=DURABLE | changed if changed is not None else {},
    )


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
    assert len(judge_server(server(changed))) == warnings


def test_a_redis_that_evicts_is_refused_also_where_it_tells_no_settings() -> None:
    nothing: dict[str, str] = {}
    for changed in (nothing, None):
        with pytest.raises(UnfitRedis, match="noeviction"):
            judge_server(server(changed, policy="volatile-lru"))


@pytest.mark.parametrize("version", ["6.0.16", "5.0.7", "4.0"])
def test_an_old_redis_is_refused(version: str) -> None:
    with pytest.raises(UnfitRedis, match="too old"):
        judge_server(server({}, version=version))


def test_one_that_does_not_tell_is_warned_of() -> None:
    assert judge_server(server(version="7.0.0"))


@pytest.mark.parametrize(
    ("max_memory_bytes", "history_total_bytes", "warnings"),
    [(0, 10**12, 0), (1000, 800, 0), (1000, 801, 1)],
    ids=["no limit", "fits", "more than there may be"],
)
def test_history_that_memory_cannot_hold_is_warned_of(
    max_memory_bytes: int, history_total_bytes: int, warnings: int
) -> None:
    asked = server({}, max_memory_bytes=max_memory_bytes)
    assert len(judge_memory(asked, history_total_bytes)) == warnings


@pytest.mark.slow
async def test_a_real_redis_tells_its_memory(own_server: OwnServer) -> None:
    with own_server.redis() as redis:
        redis.config_set("maxmemory", 1_000_000_000)
    with capture_logs() as logs:
        await fit_redis_or_stop(own_server.url, asyncio.Event(), history_total_bytes=900_000_000)
    (log,) = logs
    assert log["event"].startswith(
        "WEBSUB_HUB_HISTORY_TOTAL_BYTES (900000000) is more than Redis's memory can hold "
        "(80% of 1000000000): set it well below 800000000"
    )


@pytest.mark.slow
async def test_a_redis_that_refuses_config_is_judged_by_what_it_tells(
    own_server: OwnServer,
) -> None:
    with own_server.redis() as redis:
        redis.config_set("maxmemory-policy", "allkeys-lru")
        redis.execute_command("ACL", "SETUSER", "default", "-config")
    with pytest.raises(UnfitRedis, match="allkeys-lru"):
        await fit_redis_or_stop(own_server.url, asyncio.Event())


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


@contextmanager
def with_password(own_server: OwnServer) -> Iterator[str]:
    """A port of a Redis that asks for a password."""
    port = free_port()
    with own_server.redis() as redis:
        redis.config_set("port", port)
        redis.config_set("requirepass", "right")
    yield f"127.0.0.1:{port}"


async def waited(
    url: str, until: Callable[[Sequence[EventDict]], bool], pace: Pace
) -> Sequence[EventDict]:
    """Returns what is logged while Redis is waited for."""
    stop = asyncio.Event()
    with capture_logs() as logs:
        waiting = asyncio.create_task(fit_redis_or_stop(url, stop, pace=pace))
        async with asyncio.timeout(10):
            while not until(logs):
                assert not waiting.done()
                await asyncio.sleep(0.01)
        stop.set()
        await asyncio.wait_for(waiting, 1)
    return logs


@pytest.mark.slow
async def test_a_wrong_password_is_said_again_and_again(
    own_server: OwnServer,
) -> None:
    pace = Pace(retry_s=0.01, report_each_s=0.2)
    with with_password(own_server) as address:
        logs = await waited(f"redis://:wrong@{address}", lambda logs: len(logs) == 3, pace)
    for log in logs:
        assert log["event"] == "waiting for Redis"
        assert "invalid username-password pair" in log["error"]


@pytest.mark.slow
async def test_a_redis_that_does_not_speak_tls_is_warned_of(
    own_server: OwnServer,
) -> None:
    port = free_port()
    with own_server.redis() as redis:
        redis.config_set("port", port)
    (log,) = await waited(f"rediss://127.0.0.1:{port}", bool, Pace(attempt_s=0.3))
    assert log["error"].endswith("to a greeting by TLS: does it speak that?")


@pytest.mark.parametrize(
    "check", [refuse_unfit, lambda url: fit_redis_or_stop(url, asyncio.Event())]
)
async def test_a_database_that_is_not_there_is_refused(
    redis_url: str, check: Callable[[str], Awaitable[None]]
) -> None:
    with pytest.raises(UnfitRedis, match="does not have the database of WEBSUB_HUB_REDIS_URL"):
        await check(f"{redis_url}?db=77")


async def test_a_redis_that_is_away_is_not_refused() -> None:
    await refuse_unfit("unix:///nowhere/redis.sock")
