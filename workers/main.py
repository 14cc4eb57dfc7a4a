"""The worker process: from settings to a crew at work, until it is told to stop."""

import asyncio
import os
import signal
from contextlib import suppress

import structlog

from hub.clock import token_hex
from hub.descriptors import raise_limit
from hub.exits import EXIT_SETTINGS
from hub.garbage import collect_seldom
from hub.outbound.door import Door, DoorConfig
from hub.settings import Settings
from hub.store.fitness import UnfitRedis, fit_redis_or_stop
from hub.store.store import Store
from workers.arq_frame import run_arq
from workers.crew import Crew

RANDOM_BYTES = 8
# The supervisor kills after 1.5 s; what is not finished well before that is given back.
FINISH_S = 0.7
GIVE_BACK_S = 0.3

_log = structlog.get_logger()


def run(settings: Settings) -> int:
    """Returns the exit code of the worker, once it was told to stop or could not start."""
    if settings.redis_url is None:
        _log.error("no redis url", hint="set WEBSUB_HUB_REDIS_URL, or run `websub-hub serve`")
        return EXIT_SETTINGS
    raise_limit()
    collect_seldom()
    try:
        asyncio.run(_work(settings, settings.redis_url.get_secret_value()))
    except UnfitRedis as error:
        _log.error(str(error))
        return EXIT_SETTINGS
    return 0


def door_config(settings: Settings) -> DoorConfig:
    """Returns the way out that the settings describe."""
    return DoorConfig(
        user_agent=settings.user_agent,
        topics_allow=settings.topics_allow,
        callbacks_allow=settings.callbacks_allow,
        proxy_url=settings.proxy_url.get_secret_value() if settings.proxy_url else None,
        ca_file=str(settings.ca_file) if settings.ca_file else None,
        connect_timeout_s=settings.connect_timeout_s,
        header_max_bytes=settings.header_max_bytes,
        requests_at_once_per_host=settings.requests_at_once_per_host,
        requests_per_second_per_host=settings.requests_per_second_per_host,
        requests_at_once_in_all=settings.requests_at_once_in_all,
    )


async def _work(settings: Settings, url: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await fit_redis_or_stop(url, stop)
    if stop.is_set():
        return
    randomness = token_hex(RANDOM_BYTES)
    store = Store.of(settings, url, randomness=randomness)
    door = Door(door_config(settings))
    door.start()
    crew = Crew(store, door, settings, name=f"{os.getpid()}.{randomness}")
    work = asyncio.create_task(crew.attend(url))
    frame = asyncio.create_task(run_arq(url, settings.key_prefix, crew))
    _log.info("worker started")
    await _first(stop, work, frame)
    _log.info("worker stopping")
    # First no new claims, then what is under way; the rest ends as not sent, and is given back.
    await crew.close(FINISH_S)
    # The door's thread may wait for a name look-up, and what is given back need not wait for that.
    closing = asyncio.create_task(door.stop())
    await crew.close(GIVE_BACK_S)
    await crew.finish(GIVE_BACK_S)
    await closing
    for task in (frame, work):
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await store.close()


async def _first(stop: asyncio.Event, *tasks: asyncio.Task[None]) -> None:
    """Returns when the process is told to stop; raises what a task fails with."""
    told = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([told, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in done - {told}:
        task.result()
    told.cancel()
