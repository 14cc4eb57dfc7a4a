"""arq's part: a cron that looks at all lists, so that nothing depends on a loop or a bell alone.

Nothing in arq is the truth (invariant 4): its jobs name no work, they only look, and claims
decide. All its keys may be deleted at any moment.
"""

import asyncio
import json
from contextlib import suppress
from typing import Any

import structlog
from arq import ArqRedis, Worker, cron
from redis.asyncio.connection import ConnectionPool
from redis.exceptions import RedisError

from workers.crew import Crew

LOOK_EACH_S = 10
JOB_TIMEOUT_S = 20
RESTART_AFTER_S = (0.1, 0.5, 1.0, 2.0, 5.0)
CLOSE_S = 0.2

_log = structlog.get_logger()


async def run_arq(url: str, key_prefix: str, crew: Crew, *, look_each_s: int = LOOK_EACH_S) -> None:
    """Runs an arq worker until cancelled; starts it again when Redis was away, which ends it."""
    failures = 0
    while True:
        began_s = asyncio.get_running_loop().time()
        await _run_until_it_ends(_worker(url, key_prefix, crew, look_each_s))
        is_steady = asyncio.get_running_loop().time() - began_s > LOOK_EACH_S
        failures = 0 if is_steady else failures + 1
        await asyncio.sleep(RESTART_AFTER_S[min(failures, len(RESTART_AFTER_S) - 1)])


async def _run_until_it_ends(worker: Worker) -> None:
    redis = worker.pool
    try:
        await worker.async_run()
    except (RedisError, OSError) as error:
        _log.warning("arq ended", error=str(error))
    except Exception:  # noqa: BLE001 - logged with its traceback
        _log.exception("arq ended")
    finally:
        # In a task of its own: it cancels arq's jobs, and then raises what they end with, be it
        # that they were cancelled.
        closing = asyncio.create_task(worker.close())
        await asyncio.wait([closing], timeout=CLOSE_S)
        closing.cancel()
        with suppress(RedisError, OSError):
            await redis.aclose(close_connection_pool=True)
        with suppress(asyncio.CancelledError, asyncio.InvalidStateError):
            _log.debug("arq closed", error=str(closing.exception()))


def _worker(url: str, key_prefix: str, crew: Crew, look_each_s: int) -> Worker:
    async def look(*_: Any, **__: Any) -> None:  # noqa: ANN401 - as arq calls jobs
        await crew.look(JOB_TIMEOUT_S / 2)

    # The name makes the job's id: hubs that share a Redis must not take each other's.
    job = cron(
        look,
        name=f"{key_prefix}:look",
        second=set(range(0, 60, look_each_s)),
        timeout=JOB_TIMEOUT_S,
        keep_result=0,
    )
    queue = f"{key_prefix}:arq:queue"
    return Worker(
        cron_jobs=[job],
        queue_name=queue,
        redis_pool=ArqRedis(
            ConnectionPool.from_url(url),
            job_serializer=_serialize,
            job_deserializer=json.loads,
            default_queue_name=queue,
        ),
        handle_signals=False,
        keep_result=0,
        job_timeout=JOB_TIMEOUT_S,
        job_serializer=_serialize,
        job_deserializer=json.loads,
    )


def _serialize(job: dict[str, Any]) -> bytes:
    return json.dumps(job).encode()
