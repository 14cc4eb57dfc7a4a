"""arq's part: a cron that looks at all lists, so that nothing depends on a loop or a bell alone.

Nothing in arq is the truth (invariant 4): its jobs name no work, they only look, and claims
decide. All its keys may be deleted at any moment.
"""

import asyncio
import json
from typing import Any

import structlog
from arq import ArqRedis, Worker, cron
from redis.asyncio.connection import ConnectionPool
from redis.exceptions import RedisError

from workers.crew import Crew

LOOK_EACH_S = 10
JOB_TIMEOUT_S = 20
RESTART_AFTER_S = (0.1, 0.5, 1.0, 2.0, 5.0)

_log = structlog.get_logger()


async def run_arq(url: str, key_prefix: str, crew: Crew) -> None:
    """Runs an arq worker until cancelled; starts it again when Redis was away, which ends it."""
    failures = 0
    while True:
        began_s = asyncio.get_running_loop().time()
        worker = _worker(url, key_prefix, crew)
        try:
            await worker.async_run()
        except (RedisError, OSError) as error:
            _log.warning("arq ended", error=str(error))
        finally:
            await _close(worker)
        is_steady = asyncio.get_running_loop().time() - began_s > LOOK_EACH_S
        failures = 0 if is_steady else failures + 1
        await asyncio.sleep(RESTART_AFTER_S[min(failures, len(RESTART_AFTER_S) - 1)])


def _worker(url: str, key_prefix: str, crew: Crew) -> Worker:
    async def look(*_: Any, **__: Any) -> None:  # noqa: ANN401 - as arq calls jobs
        await crew.look(JOB_TIMEOUT_S / 2)

    # The name makes the job's id: hubs that share a Redis must not take each other's.
    job = cron(
        look,
        name=f"{key_prefix}:look",
        second=set(range(0, 60, LOOK_EACH_S)),
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


async def _close(worker: Worker) -> None:
    try:
        await worker.close()
    except (RedisError, OSError) as error:
        _log.debug("arq not closed cleanly", error=str(error))
