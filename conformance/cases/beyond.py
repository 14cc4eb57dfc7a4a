"""What deployed hubs get wrong though the text asks for it: EXT-01 to EXT-03, EXT-07, EXT-08."""

import asyncio
from email.utils import formatdate

from conformance.answer import Answer, Hangup, Reply, Responder, always, delayed
from conformance.case import Need, case
from conformance.exchange import Exchange
from conformance.judge import accepted, equal, require
from conformance.publisher import Content, Topic
from conformance.stage import Stage
from conformance.verdict import Passed, Reported

BURST = 50
BURST_INTERVAL_S = 0.005
HANGING = 5
# All changes of EXT-02 bear this one second.
THE_SECOND = formatdate(1_790_000_000, usegmt=True)


@case("EXT-01", "A ping right after the confirmation reaches the new subscriber", Need.PING)
async def ping_right_after(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback()
    accepted(await stage.ask("subscribe", topic, callback))
    await stage.verification(callback)
    await stage.delivery(callback, await stage.publish(topic))


@case("EXT-02", "Two changes within one second are both noticed", Need.PING)
async def two_changes_in_a_second(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback()
    topic.on_fetch = _dated(topic)
    await stage.subscribe(topic, callback)
    await stage.delivery(callback, await stage.publish(topic))
    await stage.delivery(callback, await stage.publish(topic))


def _slow_case(name: str, takes_s: float) -> None:
    @case(f"EXT-03.{name}", f"A receiver that takes {takes_s:g} s gets no second copy", Need.PING)
    async def slow_receiver(stage: Stage) -> None:
        topic, callback = stage.topic(), stage.callback()
        await stage.subscribe(topic, callback)
        callback.on_delivery = delayed(takes_s, always(Answer()))
        marker = await stage.publish(topic)
        await stage.delivery(callback, marker, answer_takes_s=takes_s)
        callback.on_delivery = always(Answer())
        await stage.delivery(callback, await stage.publish(topic))
        await stage.grace()
        copies = callback.holding(marker)
        equal("number of deliveries:", len(copies), 1, *copies)


_slow_case("3s", 3)
_slow_case("8s", 8)


@case("EXT-07", "After a burst of 50 changes 5 ms apart everybody ends on the newest", Need.PING)
async def fast_burst(stage: Stage) -> Passed:
    topic = stage.topic()
    callbacks = [stage.callback() for _ in range(3)]
    for callback in callbacks:
        await stage.subscribe(topic, callback)
    pings, markers = [], []
    for _ in range(BURST):
        markers.append(topic.change())
        pings.append(asyncio.create_task(stage.ping(topic.url)))
        await asyncio.sleep(BURST_INTERVAL_S)
    await asyncio.gather(*pings)
    for callback in callbacks:
        await stage.delivery(callback, markers[-1])
    await stage.grace()
    for callback in callbacks:
        last = callback.deliveries[-1]
        require(markers[-1] in last.body, "the newest content last", "an older one", last)
    counts = ", ".join(str(len(callback.deliveries)) for callback in callbacks)
    return Passed(note=f"{BURST} changes; deliveries: {counts}")


@case("EXT-08", "A topic that is served chunked is delivered whole", Need.PING)
async def chunked_topic(stage: Stage) -> None:
    topic = stage.topic(content=Content(body=b"before", chunked=True))
    callback = stage.callback()
    await stage.subscribe(topic, callback)
    marker = await stage.publish(topic)
    delivery = await stage.delivery(callback, marker)
    equal("body", delivery.body, topic.content.body, delivery)


@case("EXT-10", "Receivers that do not answer delay nobody else", Need.PING)
async def hanging_receivers(stage: Stage) -> None:
    topic, other = stage.topic(), stage.topic("/other")
    hanging = [stage.callback("/hanging") for _ in range(HANGING)]
    healthy, neighbour = stage.callback("/healthy"), stage.callback("/neighbour")
    for callback in (*hanging, healthy):
        await stage.subscribe(topic, callback)
    await stage.subscribe(other, neighbour)
    for callback in hanging:
        callback.on_delivery = stage.until_over(always(Hangup()))
    marker = await stage.publish(topic)
    for callback in hanging:
        await stage.delivery(callback, marker, answered=False)
    await stage.delivery(healthy, marker)
    await stage.delivery(healthy, await stage.publish(topic))
    await stage.delivery(neighbour, await stage.publish(other))


@case("EXT-11.brackets", "Whether a ping with hub.url[]= is followed", Need.PING)
async def ping_with_brackets(stage: Stage) -> Reported:
    topics = [stage.topic("/one"), stage.topic("/two")]
    return await _unusual_ping(stage, topics, [("hub.url[]", topic.url) for topic in topics])


@case("EXT-11.comma", "Whether a ping with URLs joined by a comma is followed", Need.PING)
async def ping_with_commas(stage: Stage) -> Reported:
    topics = [stage.topic("/one"), stage.topic("/two")]
    joined = ",".join(topic.url for topic in topics)
    return await _unusual_ping(stage, topics, [("hub.url", joined)])


@case("EXT-12", "A page that claims to be a topic does not feed its subscribers", Need.PING)
async def false_claim(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback()
    page = stage.topic("/page", links=(("Link", stage.link(topic.url)),))
    await stage.subscribe(topic, callback)
    await stage.delivery(callback, await stage.publish(topic))
    claim = await stage.publish(page)
    await stage.delivery(callback, await stage.publish(topic))
    await stage.grace()
    came = callback.holding(claim)
    require(not came, "none of the other page's content", f"{len(came)} deliveries", *came[:1])


def _error_case(code: int) -> None:
    @case(f"EXT-13.{code}", f"The page of a {code} is not delivered as the topic's", Need.PING)
    async def error_page(stage: Stage) -> None:
        topic, callback = stage.topic(), stage.callback()
        other, control = stage.topic("/other"), stage.callback("/control")
        await stage.subscribe(topic, callback)
        await stage.subscribe(other, control)
        await stage.delivery(callback, await stage.publish(topic))
        topic.on_fetch = always(Answer(status=code, body=b"an error page"))
        await stage.ping(topic.url)
        await stage.delivery(control, await stage.publish(other))
        await stage.grace()
        came = callback.holding(b"an error page")
        require(not came, "no delivery of it", f"{len(came)}", *came[:1])


_error_case(404)
_error_case(500)


async def _unusual_ping(
    stage: Stage, topics: list[Topic], fields: list[tuple[str, str]]
) -> Reported:
    callback, control, ordinary = stage.callback(), stage.callback("/control"), stage.topic()
    for topic in topics:
        await stage.subscribe(topic, callback)
    await stage.subscribe(ordinary, control)
    markers = [topic.change() for topic in topics]
    await stage.send([("hub.mode", "publish"), *fields])
    await stage.delivery(control, await stage.publish(ordinary))
    await stage.grace()
    count = sum(bool(callback.holding(marker)) for marker in markers)
    return Reported(finding=f"{count} of {len(markers)} topics of such a ping are delivered")


def _dated(topic: Topic) -> Responder:
    """Returns a server that tells versions apart by the second only, as file servers do."""

    async def respond(exchange: Exchange) -> Reply:
        dates = (("Last-Modified", THE_SECOND), ("Date", THE_SECOND))
        if exchange.header("If-Modified-Since"):
            return Answer(status=304, headers=dates)
        content = topic.content.answer()
        return Answer(headers=(*content.headers, *dates), body=content.body)

    return respond
