"""Whether a Redis can keep what the hub promises: version, durability, eviction policy."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from hub.errors import HubError
from hub.store.memory import WEB_SHARE

OLDEST = (6, 2)
RETRY_S = 1.0
_SETTINGS = ("appendonly", "appendfsync")

_log = structlog.get_logger()


class UnfitRedis(HubError):
    """This Redis would lose what the hub has accepted, or lacks commands that the hub needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What a Redis says of itself.

    Attributes:
        eviction_policy: what it deletes when its memory is full.
        max_memory_bytes: 0 for no limit.
        settings: those that durability hangs on; empty where it does not tell.
    """

    version: str
    eviction_policy: str
    max_memory_bytes: int
    settings: Mapping[str, str]


async def fit_redis_or_stop(url: str, stop: asyncio.Event, *, history_total_bytes: int = 0) -> None:
    """Returns once Redis was reached and found fit, or the process is told to stop.

    Args:
        url: redis://, rediss:// or unix://.
        stop: ends the waiting for a Redis that is away.
        history_total_bytes: what events may take; warned of where memory cannot hold so much.

    Raises:
        UnfitRedis: the hub must not run on it.
    """
    check = asyncio.create_task(_reach(url, history_total_bytes))
    told = asyncio.create_task(stop.wait())
    await asyncio.wait([check, told], return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if check.done():
        check.result()
    check.cancel()


async def _reach(url: str, history_total_bytes: int) -> None:
    """Says in the log what this Redis does not promise."""
    is_reported = False
    while True:
        try:
            async with Redis.from_url(url, decode_responses=True) as redis:
                server = await _ask(redis)
        except (RedisError, OSError) as error:
            if not is_reported:
                _log.warning("waiting for Redis", error=str(error))
                is_reported = True
            await asyncio.sleep(RETRY_S)
            continue
        for warning in (*judge_server(server), *judge_memory(server, history_total_bytes)):
            _log.warning(warning)
        return


def judge_server(server: Server) -> tuple[str, ...]:
    """Returns what to warn of: each a sentence that says what may be lost, and what to set.

    Raises:
        UnfitRedis: too old, or it may evict records.
    """
    version = tuple(int(part) for part in server.version.split(".")[:2])
    if version < OLDEST:
        raise UnfitRedis(f"Redis {server.version} is too old: the hub needs 6.2 or newer.")
    if server.eviction_policy != "noeviction":
        raise UnfitRedis(
            f"Redis has maxmemory-policy {server.eviction_policy}, which deletes subscriptions "
            "when memory runs short: set it to noeviction."
        )
    settings = server.settings
    if not settings:
        return ("Redis does not tell its settings: make sure of appendonly yes",)
    warnings = []
    if settings["appendonly"] != "yes":
        warnings.append("Redis has appendonly no: a restart loses what was accepted since a dump")
    elif settings["appendfsync"] != "always":
        warnings.append(
            f"Redis has appendfsync {settings['appendfsync']}: a crash of its machine, or a kill "
            "while its disk is slow, loses what was accepted last"
        )
    return tuple(warnings)


def judge_memory(server: Server, history_total_bytes: int) -> tuple[str, ...]:
    """Returns what to warn of where history alone could fill the memory; `web` then takes nothing.

    Args:
        server: what Redis says of itself.
        history_total_bytes: what events may take.
    """
    most_bytes = int(server.max_memory_bytes * WEB_SHARE)
    if not server.max_memory_bytes or history_total_bytes <= most_bytes:
        return ()
    return (
        f"WEBSUB_HUB_HISTORY_TOTAL_BYTES ({history_total_bytes}) is more than Redis's memory can "
        f"hold ({WEB_SHARE:.0%} of {server.max_memory_bytes}): set it well below {most_bytes}, or "
        "the hub may have to refuse everything new",
    )


async def _ask(redis: Redis) -> Server:
    server, memory = await redis.info("server"), await redis.info("memory")
    settings: dict[str, str] = {}
    try:
        for name in _SETTINGS:
            settings |= await redis.config_get(name)
    except ResponseError:
        # A managed Redis may refuse CONFIG.
        settings = {}
    return Server(
        version=str(server["redis_version"]),
        eviction_policy=str(memory["maxmemory_policy"]),
        max_memory_bytes=int(memory["maxmemory"]),
        settings=settings,
    )
