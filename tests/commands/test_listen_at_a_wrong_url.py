"""`websub-hub listen` where no hub is: it ends, unless a hub has answered there before."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from hub.commands.arrival import Arrival
from hub.commands.listener import Listener
from hub.commands.subscriber import Place, subscriber
from hub.web.connection import listening
from tests.commands.listen_process import ended, listening_process
from tests.commands.small_hub import small_hub

DEADLINE_S = 15


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@asynccontextmanager
async def a_listener(
    hub: str, told: list[str], *, answered_within_s: float = 0.0
) -> AsyncIterator[Listener]:
    async def show(_: Arrival) -> None:
        raise AssertionError("nothing was published")

    place = Place(host="127.0.0.1", port=0, url=None)
    async with (
        aiohttp.ClientSession() as client,
        subscriber(
            client, hub=hub, topic="http://t/", place=place, secret=None, lease_s=None
        ) as asking,
    ):
        yield Listener(asking, show=show, say=told.append, answered_within_s=answered_within_s)


async def test_a_url_at_which_nothing_ever_answers_is_given_up() -> None:
    port = closed_port()
    hub = f"http://127.0.0.1:{port}/"
    told: list[str] = []
    code = None
    async with a_listener(hub, told, answered_within_s=0.5) as listener:
        async with asyncio.timeout(DEADLINE_S):
            while code is None:
                code = await listener.step()
    assert code == 1
    assert told[0].endswith("; asking again in 1 s")
    assert told[1:] == [
        f"websub-hub: Cannot reach the hub {hub}: nothing listens on 127.0.0.1 port {port}"
    ]


async def test_a_hub_that_has_answered_once_is_tried_for_ever() -> None:
    port = closed_port()
    told: list[str] = []
    async with a_listener(f"http://127.0.0.1:{port}/", told) as listener:
        async with asyncio.timeout(DEADLINE_S):
            async with _away(port):
                while not told:
                    assert await listener.step() is None
            while len(told) < 2:
                assert await listener.step() is None
    assert told[0].endswith("answered 503: Not now; asking again in 1 s")
    assert "Cannot reach the hub" in told[1]
    assert told[1].endswith("; asking again in 2 s")


@asynccontextmanager
async def _away(port: int) -> AsyncIterator[None]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=503, text="Not now.")

    app = web.Application()
    app.router.add_post("/", answer)
    async with listening(app, host="127.0.0.1", port=port):
        yield


@pytest.mark.slow
async def test_a_page_that_is_no_hub_ends_it_at_once() -> None:
    async with small_hub() as hub, listening_process(f"{hub.url}no/hub") as process:
        code, errors = await ended(process)
    assert code == 1
    assert errors.splitlines()[-1] == (
        f"websub-hub: {hub.url}no/hub is no hub: it answered 404 (Not Found) to a POST."
    )


@pytest.mark.slow
async def test_a_port_that_is_taken_is_told_in_the_words_of_serve() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with listening_process("http://127.0.0.1:1/", "--port", f"{port}") as process:
            told = await ended(process)
    assert told == (1, f"websub-hub: Port {port} is in use: choose another with --port.\n")


@pytest.mark.slow
async def test_an_address_of_another_machine_cannot_be_listened_on() -> None:
    async with listening_process("http://127.0.0.1:1/", "--host", "192.0.2.1") as process:
        code, errors = await ended(process)
    assert code == 1
    assert errors.startswith("websub-hub: Cannot listen on 192.0.2.1 port 0: ")
    assert "Errno" not in errors


@pytest.mark.slow
@pytest.mark.parametrize("port", ["70000", "-1", "http"])
async def test_a_port_that_is_none_is_refused(port: str) -> None:
    async with listening_process("http://127.0.0.1:1/", f"--port={port}") as process:
        code, errors = await ended(process)
    assert code == 2
    assert "argument --port" in errors
