"""`websub-hub listen` over more than one lease, and while its hub is away."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest

from hub.commands.arrival import Arrival
from hub.commands.listener import Listener
from hub.commands.subscriber import Place, subscriber
from tests.commands.listen_process import ended, line_of, line_with, listening_process
from tests.commands.small_hub import small_hub
from tests.end_to_end.processes import Hub, running_hub
from tests.workers.sites import Site

pytestmark = pytest.mark.slow


@pytest.fixture
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    async with running_hub(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


async def test_a_real_hub_renews_the_lease_and_delivers_after_it(hub: Hub) -> None:
    async with Site().open() as site:
        topic = site.topic("/page", b"one")
        options = ("--lease", "2", "--json")
        async with listening_process(hub.url, *options, topic=topic.url) as process:
            await line_with(process.stderr, "subscribed to")
            assert await line_of(process.stderr) == "renewed for 2 s\n"
            assert await line_of(process.stderr) == "renewed for 2 s\n"
            topic.body = b"two"
            await hub.until_accepted(mode="publish", url=topic.url)
            assert json.loads(await line_of(process.stdout))["body"] == "two"


async def test_a_real_hub_that_was_killed_is_found_again(hub: Hub) -> None:
    async with Site().open() as site:
        topic = site.topic("/page", b"one")
        async with listening_process(hub.url, "--lease", "2", topic=topic.url) as process:
            await line_with(process.stderr, "subscribed to")
            await hub.kill("web")
            away = await line_with(process.stderr, "Cannot reach the hub")
            assert away.endswith("; asking again in 1 s\n")
            assert "nothing listens on 127.0.0.1 port" in away
            await line_with(process.stderr, "The lease has ended")
            await hub.start("web")
            await line_with(process.stderr, "subscribed again for 2 s")
            await line_with(process.stderr, "renewed for 2 s")


async def test_a_hub_that_is_away_at_the_start_is_waited_for() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with listening_process(f"http://127.0.0.1:{port}/") as process:
        first = await line_with(process.stderr, "Cannot reach the hub")
        assert "asking again in 1 s" in first
        assert "asking again in 2 s" in await line_with(process.stderr, "Cannot reach the hub")
        async with small_hub(port):
            await line_with(process.stderr, "subscribed to")


async def test_a_hub_that_was_never_reached_needs_no_farewell() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        async with listening_process(url) as process:
            await line_with(process.stderr, "Cannot reach the hub")
            process.terminate()
            assert await ended(process) == (0, "")


async def test_a_denied_renewal_is_told_and_tried_again() -> None:
    async with small_hub() as hub, listening_process(hub.url, "--lease", "1") as process:
        await line_with(process.stderr, "subscribed to")
        hub.is_denying = True
        assert await line_with(process.stderr, "denied") == (
            "The hub denied the subscription: not here; asking again in 1 s\n"
        )
        hub.is_denying = False
        await line_with(process.stderr, "subscribed again for 1 s")


async def test_a_lease_that_ends_unrenewed_is_told() -> None:
    async with small_hub() as hub, listening_process(hub.url, "--lease", "1") as process:
        await line_with(process.stderr, "subscribed to")
        hub.is_silent = True
        await line_with(process.stderr, "The lease has ended")


async def test_a_hub_that_does_not_verify_is_asked_again() -> None:
    async def show(_: Arrival) -> None:
        raise AssertionError("nothing was published")

    async with small_hub() as hub, aiohttp.ClientSession() as client:
        hub.is_silent = True
        place = Place(host="127.0.0.1", port=0, url=None)
        async with subscriber(
            client, hub=hub.url, topic="http://t/", place=place, secret=None, lease_s=9
        ) as asking:
            told: list[str] = []
            listener = Listener(asking, show=show, say=told.append, verified_within_s=0.1)
            async with asyncio.timeout(10):
                while not told:
                    await listener.step()
                hub.is_silent = False
                while not listener.is_subscribed:
                    await listener.step()
    assert told[0].startswith(
        f"No verification yet: perhaps the hub cannot reach {asking.callback_url}"
    )
    assert told[-1] == f"subscribed to http://t/ at {hub.url} for 9 s; Ctrl-C to stop"


async def test_a_hub_is_told_the_url_by_which_it_reaches_the_callback() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    base = f"http://localhost:{port}"
    options = ("--port", str(port), "--callback-url", f"{base}/")
    async with small_hub() as hub, listening_process(hub.url, *options) as process:
        await line_with(process.stderr, "subscribed to")
        assert (await hub.subscription()).callback.startswith(f"{base}/")
