"""A small WebSub hub in memory, in one event loop, that can be given defects."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

from aiohttp import web

from tests.conformance.defective.catalogue import DEFECTS, SWITCHES
from tests.conformance.defective.delivery import Deliveries
from tests.conformance.defective.endpoint import Endpoint
from tests.conformance.defective.ledger import Ledger
from tests.conformance.defective.records import Defects, Records
from tests.conformance.defective.tasks import Tasks
from tests.conformance.defective.topics import Topics
from tests.conformance.defective.verification import Verifier


@contextlib.asynccontextmanager
async def opened(host: str, port: int, defects: Defects) -> AsyncIterator[tuple[str, Endpoint]]:
    """Serves a hub; gives its URL, and its endpoint, which tells whether a defect ended it.

    Args:
        port: 0 for any that is free.
    """
    unknown = defects - DEFECTS.keys() - SWITCHES.keys()
    if unknown:
        raise ValueError(f"no such defect: {', '.join(sorted(unknown))}")
    tasks = Tasks()
    listener = socket.create_server((host, port))
    url = f"http://{host}:{listener.getsockname()[1]}/"
    endpoint = _assembled(url, tasks, defects)
    application = web.Application()
    application.router.add_get("/", endpoint.show)
    application.router.add_post("/", endpoint.take)
    application.router.add_post("/moved", endpoint.refer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    dying = asyncio.create_task(_die(endpoint, runner, tasks))
    try:
        yield url, endpoint
    finally:
        dying.cancel()
        await tasks.close()
        await runner.cleanup()


def _assembled(own_url: str, tasks: Tasks, defects: Defects) -> Endpoint:
    records = Records()
    deliveries = Deliveries(records, tasks, own_url, defects)
    topics = Topics(records, tasks, deliveries.wake, defects)
    ledger = Ledger(records, deliveries, defects)
    verifier = Verifier(topics, ledger, records, own_url, defects)
    return Endpoint(records, topics, verifier, tasks, defects)


async def _die(endpoint: Endpoint, runner: web.AppRunner, tasks: Tasks) -> None:
    await endpoint.has_died.wait()
    await tasks.close()
    await runner.cleanup()
