"""`websub-hub publish`: tell a hub that topics have changed (WebSub 6)."""

import argparse
import asyncio
import itertools
import sys

from hub.commands.hub_client import DEFAULT_HUB, ask, session
from hub.commands.waiting import say, waiting
from hub.errors import HubError

# As many as Google's client sends at once; every hub takes so many.
_TOPICS_AT_ONCE = 100
_SHOWN_AFTER_S = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("urls", metavar="URL", nargs="+", help="a topic that has changed")
    parser.add_argument("--hub", default=DEFAULT_HUB, help="the hub to tell (default %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Return 0 once the hub was told of all topics, else 1 after a sentence on what failed."""
    try:
        asyncio.run(_publish(arguments.hub, arguments.urls))
    except HubError as error:
        say(sys.stderr, f"websub-hub: {error}")
        return 1
    return 0


async def _publish(hub: str, urls: list[str]) -> None:
    remaining = iter(urls)
    async with session() as client:
        while batch := list(itertools.islice(remaining, _TOPICS_AT_ONCE)):
            fields = [("hub.mode", "publish"), *(("hub.url", url) for url in batch)]
            async with waiting(sys.stderr, f"waiting for {hub}", shown_after_s=_SHOWN_AFTER_S):
                await ask(client, hub, fields)
            for url in batch:
                print(f"told {hub} of {url}", flush=True)
