"""`websub-hub doctor`: looks at a publisher from outside, and says what to mend (WebSub 4, 6)."""

import argparse
import asyncio
import math
import shutil
import sys
from contextlib import AbstractAsyncContextManager

import aiohttp

from hub.clock import now_s
from hub.commands.hub_client import address
from hub.commands.subscriber import add_place_arguments, place_of
from hub.commands.waiting import say, waiting
from hub.doctor.examine import examine
from hub.doctor.finding import Verdict
from hub.doctor.observation import Observation, OurHub, Page, Trial
from hub.doctor.observe import PAUSE_S, observation, observe_page
from hub.doctor.report import as_json, as_text, count
from hub.doctor.requests import Browser
from hub.doctor.trial import try_hub
from hub.environment import load_settings
from hub.errors import HubError
from hub.exits import EXIT_FAILED, EXIT_SETTINGS
from hub.settings import Settings, environment

_SHOWN_AFTER_S = 1
_POLL_S = 2
_GRACE_S = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("url", metavar="URL", help="the topic: a feed or page")
    parser.add_argument("--hub", help="the hub that the topic should name")
    parser.add_argument(
        "--wait-s",
        type=_seconds,
        default=0,
        metavar="N",
        help="subscribe at --hub, and wait N seconds for you to publish (default: don't)",
    )
    add_place_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError
    return seconds


def run(arguments: argparse.Namespace) -> int:
    """Return 0 where there is no fault, 1 where there is one, 2 where it could not run."""
    try:
        return asyncio.run(_run(arguments, load_settings({})))
    except (HubError, OSError) as error:
        say(sys.stderr, f"websub-hub: {error}")
        return EXIT_SETTINGS


async def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    for url in filter(None, (arguments.url, arguments.hub)):
        address(url)
    if arguments.wait_s and arguments.hub is None:
        raise HubError("--wait-s needs --hub: nobody is subscribed anywhere unasked.")
    seen = await _observed(arguments, settings)
    async with _live(f"judging {arguments.url}"):
        findings = await asyncio.to_thread(examine, seen)
    if arguments.json:
        sys.stdout.write(as_json(arguments.url, findings))
    else:
        width = shutil.get_terminal_size().columns
        is_coloured = sys.stdout.isatty() and not environment().get("NO_COLOR")
        sys.stdout.write(as_text(arguments.url, findings, width=width, is_coloured=is_coloured))
    return EXIT_FAILED if count(findings, Verdict.FAULT) else 0


async def _observed(arguments: argparse.Namespace, settings: Settings) -> Observation:
    async with aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=settings.request_deadline_s),
        headers={"User-Agent": settings.user_agent},
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as client:
        browser = Browser(
            client, max_bytes=settings.topic_max_bytes, redirects_max=settings.redirects_max
        )
        async with _live(f"looking at {arguments.url}"):
            visit, page = await observe_page(browser, arguments.url, pause_s=PAUSE_S)
        trial = await _tried(client, browser, arguments, page)
    return observation(
        (visit, page),
        trial,
        _our_hub(arguments, settings),
        topic_max_bytes=settings.topic_max_bytes,
        now_s=now_s(),
    )


async def _tried(
    client: aiohttp.ClientSession,
    browser: Browser,
    arguments: argparse.Namespace,
    page: Page | None,
) -> Trial | None:
    if page is None or not arguments.wait_s:
        return None
    trial = Trial(
        hub=arguments.hub,
        topic=page.reading.links.self_url or page.answer.url,
        secret=b"",
        wait_s=arguments.wait_s,
        poll_s=_POLL_S,
        grace_s=_GRACE_S,
    )
    text = f"subscribed at {trial.hub}, waiting up to {trial.wait_s:g} s for you to publish:"
    async with waiting(sys.stderr, text):
        return await try_hub(client, browser, trial, place=place_of(arguments))


def _our_hub(arguments: argparse.Namespace, settings: Settings) -> OurHub | None:
    if arguments.hub is not None:
        return OurHub(url=arguments.hub, is_asked_for=True)
    if settings.public_url is not None:
        return OurHub(url=settings.hub_url, is_asked_for=False)
    return None


def _live(text: str) -> AbstractAsyncContextManager[None]:
    return waiting(sys.stderr, text, shown_after_s=_SHOWN_AFTER_S)
