"""Looking at a publisher from outside: every request but those of a subscription."""

import asyncio

from hub.doctor.hosts import is_own_network
from hub.doctor.observation import (
    Answer,
    HubSeen,
    Observation,
    OurHub,
    Page,
    Reply,
    Trial,
    Unreached,
    Visit,
)
from hub.doctor.reading import Reading, read
from hub.doctor.requests import Browser

# Second-hand dates and Last-Modified only show a difference after a second.
PAUSE_S = 1.1
_HUBS_ASKED_MAX = 3


async def observe_page(browser: Browser, url: str, *, pause_s: float) -> tuple[Visit, Page | None]:
    """Return what was seen; the page is None where none could be read.

    Args:
        browser: which asks.
        url: the topic.
        pause_s: between two equal requests, to see what changes by itself.
    """
    visit = await browser.visit(url)
    answer = visit.end
    if isinstance(answer, Unreached) or answer.status != 200 or not answer.body:
        return visit, None
    reading = await _read(answer)
    hubs = reading.links.hubs[:_HUBS_ASKED_MAX]
    replies, self_visit, repeated = await asyncio.gather(
        asyncio.gather(*(ask_hub(browser, hub, topic=answer.url) for hub in hubs)),
        _visit_self(browser, reading, answer.url),
        _ask_again(browser, answer, pause_s),
    )
    again, conditional = repeated
    return visit, Page(
        answer=answer,
        reading=reading,
        again=again,
        again_reading=await _read_again(answer, reading, again),
        conditional=conditional,
        hubs=tuple(HubSeen(url=u, reply=r) for u, r in zip(hubs, replies, strict=True)),
        self_visit=self_visit,
    )


def observation(
    seen: tuple[Visit, Page | None],
    trial: Trial | None,
    our_hub: OurHub | None,
    *,
    topic_max_bytes: int,
    now_s: float,
) -> Observation:
    """Return all that was seen as one value."""
    visit, page = seen
    return Observation(
        visit=visit,
        page=page,
        trial=trial,
        our_hub=our_hub,
        topic_max_bytes=topic_max_bytes,
        now_s=now_s,
    )


async def ask_hub(browser: Browser, hub: str, *, topic: str) -> Reply:
    """Return what a hub answers to an empty form; no stranger's topic chooses a host of ours."""
    if is_own_network(hub) and not is_own_network(topic):
        return Unreached(url=hub, reason="this is an address that only your own network has")
    return await browser.post_nothing(hub)


async def _read(answer: Answer) -> Reading:
    return await asyncio.to_thread(
        read, answer.body, answer.header("content-type"), answer.values("link"), answer.url
    )


async def _read_again(answer: Answer, reading: Reading, again: Reply) -> Reading | None:
    if isinstance(again, Unreached) or again.status != 200:
        return None
    return reading if again.body == answer.body else await _read(again)


async def _visit_self(browser: Browser, reading: Reading, url: str) -> Visit | None:
    self_url = reading.links.self_url
    return None if self_url is None or self_url == url else await browser.visit(self_url)


async def _ask_again(
    browser: Browser, answer: Answer, pause_s: float
) -> tuple[Reply, Reply | None]:
    await asyncio.sleep(pause_s)
    again = await browser.get(answer.url)
    # The validators of the newest answer, as a hub would send them.
    newest = again if isinstance(again, Answer) and again.status == 200 else answer
    validators = {
        "If-None-Match": newest.header("etag"),
        "If-Modified-Since": newest.header("last-modified"),
    }
    given = {name: value for name, value in validators.items() if value}
    return again, await browser.get(answer.url, given) if given else None
