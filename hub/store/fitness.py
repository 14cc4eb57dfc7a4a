"""Whether a Redis can keep what the hub promises: version, durability, eviction policy."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from hub.errors import HubError

OLDEST = (6, 2)
RETRY_S = 1.0
_SETTINGS = ("appendonly", "appendfsync", "maxmemory", "maxmemory-policy")

_log = structlog.get_logger()


class UnfitRedis(HubError):
    """This Redis would lose what the hub has accepted, or lacks commands that the hub needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What a Redis says of itself; `settings` is empty where it does not tell."""

    version: str
    settings: Mapping[str, str]


async def fit_redis_or_stop(url: str, stop: asyncio.Event) -> None:
    """Returns once Redis was reached and found fit, or the process is told to stop.

    Raises:
        UnfitRedis: the hub must not run on it.
    """
    check = asyncio.create_task(_reach(url))
    told = asyncio.create_task(stop.wait())
    await asyncio.wait([check, told], return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if check.done():
        check.result()
    check.cancel()


async def _reach(url: str) -> None:
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
        for warning in judge_server(server):
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
    settings = server.settings
    if not settings:
        return ("Redis does not tell its settings: make sure of appendonly yes and noeviction",)
    policy = settings["maxmemory-policy"]
    if policy != "noeviction":
        raise UnfitRedis(
            f"Redis has maxmemory-policy {policy}, which deletes subscriptions when memory runs "
            "short: set it to noeviction."
        )
    warnings = []
    if settings["appendonly"] != "yes":
        warnings.append("Redis has appendonly no: a restart loses what was accepted since a dump")
    elif settings["appendfsync"] != "always":
        warnings.append(
            f"Redis has appendfsync {settings['appendfsync']}: a crash of its machine, or a kill "
            "while its disk is slow, loses what was accepted last"
        )
    return tuple(warnings)


async def _ask(redis: Redis) -> Server:
    info = await redis.info("server")
    settings: dict[str, str] = {}
    try:
        for name in _SETTINGS:
            settings |= await redis.config_get(name)
    except ResponseError:
        # A managed Redis may refuse CONFIG.
        settings = {}
    return Server(version=str(info["redis_version"]), settings=settings)
