"""The baseline for what web does: an aiohttp handler that reads the same form, and writes nothing.

    python -m bench.bare_web PORT

With a callback in the form it is a hub without any care: it fetches the topic, and posts it there.
"""

import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from urllib.parse import parse_qs

from aiohttp import ClientSession, web

from bench.nginx import free_port, until_it_listens
from bench.processes import Process, process

_CLIENT = web.AppKey("client", ClientSession)


async def answer(request: web.Request) -> web.Response:
    """204 for whatever names a topic."""
    fields = parse_qs((await request.read()).decode())
    if "hub.url" not in fields and "hub.topic" not in fields:
        return web.Response(status=400)
    if "hub.relay" in fields:
        await _relay(request.app[_CLIENT], fields["hub.url"][0], fields["hub.relay"][0])
    return web.Response(status=204)


async def _relay(client: ClientSession, topic: str, callback: str) -> None:
    async with client.get(topic) as document:
        body = await document.read()
    async with client.post(callback, data=body):
        pass


async def _client(app: web.Application) -> AsyncIterator[None]:
    async with ClientSession() as client:
        app[_CLIENT] = client
        yield


@contextlib.contextmanager
def bare_web() -> Iterator[tuple[int, Process]]:
    """Runs one until the end of the block; yields its port and process."""
    port = free_port()
    running = subprocess.Popen([sys.executable, "-m", "bench.bare_web", str(port)])
    try:
        until_it_listens(port)
        yield port, process(running.pid)
    finally:
        running.terminate()
        running.wait(10)


def main() -> None:
    """Serves until it is told to stop."""
    app = web.Application()
    app.cleanup_ctx.append(_client)
    app.router.add_post("/", answer)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)


if __name__ == "__main__":
    main()
