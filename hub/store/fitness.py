"""Whether a Redis can keep what the hub promises: version, durability, eviction policy."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from hub.errors import HubError
from hub.seldom import Seldom
from hub.store.memory import WEB_SHARE

OLDEST = (6, 2)
_SETTINGS = ("appendonly", "appendfsync")

_NO_DATABASE = ("DB index", "SELECT is not allowed")

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a Redis that is away is waited for.

    Attributes:
        attempt_s: how long one attempt may take; one without TLS never answers a greeting by it.
        retry_s: between two attempts.
        report_each_s: how often the log says that it is waited for, and why.
    """

    attempt_s: float = 5.0
    retry_s: float = 1.0
    report_each_s: float = 10.0


PACE = Pace()


async def fit_redis_or_stop(
    url: str, stop: asyncio.Event, *, history_total_bytes: int = 0, pace: Pace = PACE
) -> None:
    """Returns once Redis was reached and found fit, or the process is told to stop.

    Args:
        url: redis://, rediss:// or unix://.
        stop: ends the waiting for a Redis that is away.
        history_total_bytes: what events may take; warned of where memory cannot hold so much.
        pace: of the waiting.

    Raises:
        UnfitRedis: the hub must not run on it.
    """
    check = asyncio.create_task(_reach(url, history_total_bytes, pace))
    told = asyncio.create_task(stop.wait())
    await asyncio.wait([check, told], return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if check.done():
        check.result()
    check.cancel()


async def refuse_unfit(url: str) -> None:
    """Returns where Redis is fit, or cannot be asked just now; it is asked once.

    Raises:
        UnfitRedis: the hub must not run on it.
    """
    with suppress(RedisError, OSError):
        judge_server(await _attempt(url, PACE.attempt_s))


async def _reach(url: str, history_total_bytes: int, pace: Pace) -> None:
    """Says in the log what this Redis does not promise."""
    report = Seldom(interval_s=pace.report_each_s)
    while True:
        try:
            server = await _attempt(url, pace.attempt_s)
        except (RedisError, OSError) as error:
            if report.is_due():
                _log.warning("waiting for Redis", error=str(error))
            await asyncio.sleep(pace.retry_s)
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


async def _attempt(url: str, timeout_s: float) -> Server:
    # Up to Python 3.11.2 asyncio.timeout does not end within a task that was cancelled: who calls
    # this has a task that is cancelled only to be thrown away.
    try:
        async with asyncio.timeout(timeout_s):
            async with Redis.from_url(url, decode_responses=True) as redis:
                return await _ask(redis)
    except TimeoutError as error:
        tls = " to a greeting by TLS: does it speak that?" if url.startswith("rediss:") else ""
        raise TimeoutError(f"no answer within {timeout_s:g} s{tls}") from error
    except RedisError as error:  # on a unix socket redis-py makes a ConnectionError of it
        if any(words in str(error) for words in _NO_DATABASE):
            raise UnfitRedis(
                f"Redis does not have the database of WEBSUB_HUB_REDIS_URL ({error}): "
                "choose another number at its end (--redis-url)."
            ) from error
        raise


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
