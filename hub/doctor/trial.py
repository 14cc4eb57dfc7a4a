"""A subscription of the doctor's own: does a change of the topic reach a subscriber?"""

import asyncio
from dataclasses import replace

import aiohttp

from hub.clock import now_s
from hub.commands.arrival import Arrival
from hub.commands.callback import Confirmed, Denied, Event
from hub.commands.hub_client import HubFailed
from hub.commands.subscriber import Place, Subscriber, subscriber
from hub.doctor.comparison import has_news
from hub.doctor.observation import Answer, Trial
from hub.doctor.requests import Browser
from hub.feeds.document import read_document
from hub.protocol.requests import Mode

# A verification should come at once (WebSub 5.1.2); a hub under load may take a while.
VERIFIED_WITHIN_S = 20
LEASE_MARGIN_S = 60


async def try_hub(
    client: aiohttp.ClientSession, browser: Browser, trial: Trial, *, place: Place
) -> Trial:
    """Return what came of a subscription, which is ended again in any case.

    Args:
        client: asks the hub.
        browser: looks at the topic meanwhile.
        trial: hub, topic and times, with nothing seen yet; its secret is made here.
        place: where the callback listens.

    Raises:
        PlaceTaken: the place cannot be listened on.
    """
    lease_s = int(trial.wait_s + trial.grace_s) + LEASE_MARGIN_S
    async with subscriber(
        client, hub=trial.hub, topic=trial.topic, place=place, secret=None, lease_s=lease_s
    ) as asking:
        trial = replace(trial, secret=asking.secret.encode())
        try:
            await asking.ask(Mode.SUBSCRIBE)
        except HubFailed as error:
            return replace(trial, refusal=str(error).rstrip("."))
        try:
            trial = await _verified(asking, trial)
            return trial if trial.verified_at_s is None else await _waited(asking, browser, trial)
        finally:
            await asking.unsubscribe()


async def _verified(asking: Subscriber, trial: Trial) -> Trial:
    match await _next(asking, VERIFIED_WITHIN_S):
        case Confirmed():
            return replace(trial, verified_at_s=now_s())
        case Denied(reason=reason):
            return replace(trial, denial=reason)
        case _:
            return trial


async def _waited(asking: Subscriber, browser: Browser, trial: Trial) -> Trial:
    """Return what has arrived, and when the topic changed, within the time that there is."""
    before = await browser.get(trial.topic)
    until_s = now_s() + trial.wait_s
    while now_s() < until_s:
        match await _next(asking, min(trial.poll_s, until_s - now_s())):
            case Arrival() as arrival:
                return replace(trial, arrival=arrival)
            case Denied(reason=reason):
                return replace(trial, denial=reason)
            case _:
                pass
        if trial.changed_at_s is None and _has_news(before, await browser.get(trial.topic)):
            trial = replace(trial, changed_at_s=now_s())
            until_s = max(until_s, now_s() + trial.grace_s)
    return trial


async def _next(asking: Subscriber, within_s: float) -> Event | None:
    try:
        async with asyncio.timeout(within_s):
            return await asking.callback.events.get()
    except TimeoutError:
        return None


def _has_news(before: object, after: object) -> bool:
    """Return whether a reader would see a difference between two answers."""
    if not isinstance(before, Answer) or not isinstance(after, Answer):
        return False
    if after.status != 200 or before.status != 200 or before.body == after.body:
        return False
    return has_news(
        read_document(before.body, before.header("content-type")),
        read_document(after.body, after.header("content-type")),
    )
