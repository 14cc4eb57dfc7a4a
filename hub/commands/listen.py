"""`websub-hub listen`: subscribe to a topic and print what arrives (WebSub 5, 7)."""

import argparse
import asyncio
import sys
from functools import partial

import aiohttp

from hub.commands.arrival import Arrival, as_json, as_text, signature_verdict, titles
from hub.commands.discovery import discover
from hub.commands.hub_client import DEFAULT_HUB, address, session
from hub.commands.listener import Listener
from hub.commands.subscriber import Subscriber, add_place_arguments, place_of, subscriber
from hub.commands.waiting import say, waiting
from hub.errors import HubError

_SHOWN_AFTER_S = 1
_TITLES_S = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("url", metavar="URL", help="the topic")
    parser.add_argument(
        "--hub", help=f"the hub to ask (default: the one the topic names, else {DEFAULT_HUB})"
    )
    parser.add_argument("--secret", help="what deliveries are signed with (default: random)")
    parser.add_argument("--lease", metavar="SECONDS", type=int, help="the lease to ask for")
    add_place_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object an arrival")


def run(arguments: argparse.Namespace) -> int:
    """Return 0 once the user has stopped it, 1 after a sentence on what failed."""
    try:
        return asyncio.run(_listen(arguments))
    except HubError as error:
        _say(f"websub-hub: {error}")
        return 1


async def _listen(arguments: argparse.Namespace) -> int:
    async with session() as client:
        hub, topic = await _target(client, arguments.url, arguments.hub)
        async with subscriber(
            client,
            hub=hub,
            topic=topic,
            place=place_of(arguments),
            secret=arguments.secret,
            lease_s=arguments.lease,
        ) as asking:
            return await _keep(asking, is_json=arguments.json)


async def _target(client: aiohttp.ClientSession, url: str, hub: str | None) -> tuple[str, str]:
    address(url)
    if hub is not None:
        address(hub)
        return hub, url
    async with waiting(sys.stderr, f"reading {url}", shown_after_s=_SHOWN_AFTER_S):
        found = await discover(client, url)
    if found.hub is None:
        _say(f"{url} names no hub, so {DEFAULT_HUB} is asked")
    return found.hub or DEFAULT_HUB, found.topic


async def _keep(asking: Subscriber, *, is_json: bool) -> int:
    show = partial(_show, secret=asking.secret.encode(), is_json=is_json)
    listener = Listener(asking, show=show, say=_say)
    listener.stop_on_signals()
    is_over: int | None = None
    async with waiting(sys.stderr, f"waiting for {asking.hub} to verify the subscription"):
        while is_over is None and not listener.is_subscribed:
            is_over = await listener.step()
    while is_over is None:
        is_over = await listener.step()
    return is_over


async def _show(arrival: Arrival, *, secret: bytes, is_json: bool) -> None:
    verdict = signature_verdict(arrival, secret)
    if is_json:
        print(as_json(arrival, verdict), flush=True)
        return
    try:
        async with asyncio.timeout(_TITLES_S):
            entries = await asyncio.to_thread(titles, arrival)
    except TimeoutError:
        entries = ()
    print(as_text(arrival, verdict, entries), flush=True)


def _say(sentence: str) -> None:
    say(sys.stderr, sentence)
