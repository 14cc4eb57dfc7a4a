"""How the hub gets a topic's content (PubSubHubbub 0.3 7.2, WebSub 6): PUB-06 to PUB-10."""

import asyncio
import time
from functools import partial

from conformance.answer import Answer, Reply, Responder, status
from conformance.case import Need, case
from conformance.exchange import Exchange
from conformance.judge import equal, require
from conformance.publisher import Topic
from conformance.stage import DEFAULT_BODY, Stage
from conformance.verdict import Mismatch, Passed, Reported

HOPS = 5
# A browser gives up after 20 redirects; a hub may try such a topic again a few times.
MOST_FETCHES = 200
# Who goes round without end never pauses.
LOOP_PAUSE_S = 1.0
LOOP_WATCHED_S = 20.0
UPDATES = 5
BURST = 20
BURST_INTERVAL_S = 0.05


def _redirect_case(code: int) -> None:
    @case(f"PUB-06.{code}", f"A topic that answers {code} is fetched where it leads", Need.PING)
    async def redirected_topic(stage: Stage) -> None:
        await _through_redirects(stage, [code])


for _code in (301, 302, 307, 308):
    _redirect_case(_code)


@case("PUB-06.hops", "Five redirects in a row are followed", Need.PING)
async def redirects_in_a_row(stage: Stage) -> None:
    await _through_redirects(stage, [302] * HOPS)


@case("PUB-06.loop", "A topic that redirects to itself hangs nobody", Need.PING)
async def redirects_in_a_circle(stage: Stage) -> None:
    topic, callback, control = stage.topic(), stage.callback(), stage.callback()
    other = stage.topic("/other")
    await stage.subscribe(topic, callback)
    await stage.subscribe(other, control)
    topic.on_fetch = status(302, topic.url)
    await stage.ping(topic.url)
    await stage.delivery(control, await stage.publish(other))
    end_s = time.monotonic() + LOOP_WATCHED_S
    while time.monotonic() < end_s and len(topic.fetches) <= MOST_FETCHES:
        count = len(topic.fetches)
        if not await topic.until(partial(_beyond, topic, count), LOOP_PAUSE_S):
            break
    else:
        raise Mismatch("an end of the fetches", f"{len(topic.fetches)} without a pause")
    came = [delivery for delivery in callback.deliveries if delivery.body != DEFAULT_BODY]
    require(not came, "no delivery of a redirect", f"{len(came)}", *came[:1])


@case("PUB-07", "A topic with an ETag is fetched conditionally", Need.PING)
async def conditional_fetch(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback()
    topic.on_fetch = _with_etag(topic)
    await stage.subscribe(topic, callback)
    first = await stage.publish(topic)
    await stage.delivery(callback, first)
    fetched = len(topic.fetches)
    await stage.ping(topic.url)
    again = await topic.until(
        lambda: topic.fetches[fetched : fetched + 1] or None, stage.options.timeout_s
    )
    require(again, "a fetch after the second ping", "none")
    fetch = topic.fetches[fetched]
    require(fetch.header("If-None-Match"), "an If-None-Match on it", "none", fetch)
    await stage.delivery(callback, await stage.publish(topic))
    equal("deliveries of the first content:", len(callback.holding(first)), 1)


@case("PUB-08", "A change is delivered after a ping; a ping alone should not be", Need.PING)
async def ping_without_change(stage: Stage) -> Passed | Reported:
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback)
    first = await stage.publish(topic)
    await stage.delivery(callback, first)
    await stage.ping(topic.url)
    await stage.grace()
    await stage.delivery(callback, await stage.publish(topic))
    if len(callback.holding(first)) > 1:
        return Reported(finding="delivers after a ping although nothing has changed")
    return Passed()


@case("PUB-09", "Each active subscriber gets the newest content, whoever else fails", Need.PING)
async def healthy_beside_failing(stage: Stage) -> None:
    topic = stage.topic()
    failing, healthy = stage.callback("/failing"), [stage.callback("/1"), stage.callback("/2")]
    for callback in (failing, *healthy):
        await stage.subscribe(topic, callback)
    failing.on_delivery = status(500)
    marker = b""
    for _ in range(UPDATES):
        marker = await stage.publish(topic)
        for callback in healthy:
            await stage.delivery(callback, marker)
    require(failing.deliveries, "the failing one tried, too", "no delivery to it")


@case("PUB-10", "A burst of pings ends with the newest content, and never goes back", Need.PING)
async def burst_of_pings(stage: Stage) -> Passed:
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback)
    markers = []
    for _ in range(BURST):
        markers.append(await stage.publish(topic))
        await asyncio.sleep(BURST_INTERVAL_S)
    await stage.delivery(callback, markers[-1])
    await stage.grace()
    numbers = [_number(delivery, markers) for delivery in callback.deliveries]
    # What was there before may be delivered, too, as number 0.
    order = [number for number in numbers if number]
    require(order == sorted(order), "no older content after newer", f"versions {order}")
    require(len(order) <= BURST, f"at most {BURST} deliveries", f"{len(order)}")
    return Passed(note=f"{BURST} changes, {len(order)} deliveries")


def _beyond(topic: Topic, count: int) -> list[Exchange] | None:
    return topic.fetches[count:] or None


def _number(delivery: Exchange, markers: list[bytes]) -> int:
    return next((n for n, marker in enumerate(markers, 1) if marker in delivery.body), 0)


def _with_etag(topic: Topic) -> Responder:
    async def respond(exchange: Exchange) -> Reply:
        content = topic.content.answer()
        tag = f'"{hash(content.body):x}"'
        if exchange.header("If-None-Match") == tag:
            return Answer(status=304, headers=(("ETag", tag),))
        return Answer(headers=(*content.headers, ("ETag", tag)), body=content.body)

    return respond


async def _through_redirects(stage: Stage, codes: list[int]) -> None:
    target, callback = stage.topic("/target"), stage.callback()
    first = target
    for code in codes:
        step = stage.topic("/step")
        step.on_fetch = status(code, first.url)
        first = step
    await stage.subscribe(first, callback)
    marker = target.change()
    await stage.ping(first.url)
    await stage.delivery(callback, marker)
