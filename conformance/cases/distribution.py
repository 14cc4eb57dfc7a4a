"""The request that carries a delivery (WebSub 7): DIS-01, DIS-02, DIS-17."""

import gzip

from conformance.answer import Reply, Responder
from conformance.case import Need, case
from conformance.exchange import Exchange
from conformance.judge import equal, present, require, spelt
from conformance.options import PingForm
from conformance.publisher import Content, Topic
from conformance.signature import is_signed_with
from conformance.stage import DEFAULT_BODY, Stage
from conformance.verdict import Level, Mismatch, Passed, Reported

CALLBACK = "/p/%7Ex/a%2Fb//c?foo=bar&a=%2F&b=c+d&e&f=&g=%7e"


@case("DIS-01", "A delivery is a POST with a body")
async def delivery_is_a_post(stage: Stage) -> None:
    # Needs no known form of ping: a hub that delivers nothing at all must fail somewhere.
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback)
    topic.change()
    for form in PingForm:
        await stage.ping_as(form, topic.url)
    delivery = await stage.delivery(callback)
    equal("method", delivery.method, "POST", delivery)
    require(delivery.body, "a body", "an empty one", delivery)


@case("DIS-02", "A delivery goes to the callback byte for byte, with its query", Need.PING)
async def exact_callback(stage: Stage) -> Reported | None:
    topic, callback = stage.topic(), stage.callback(CALLBACK)
    await stage.subscribe(topic, callback)
    delivery = await stage.delivery(callback, await stage.publish(topic))
    target = callback.url.partition("://")[2].partition("/")
    equal("Host", delivery.header("Host"), target[0], delivery)
    return spelt("request target", delivery.target, f"/{target[2]}", delivery)


@case("DIS-17.length", "A delivery says its length", Need.PING, level=Level.LEGACY)
async def delivery_says_its_length(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback)
    delivery = await stage.delivery(callback, await stage.publish(topic))
    # Several frameworks read a chunked body as empty, and answer 200.
    coding = delivery.header("Transfer-Encoding")
    require(coding is None, "no Transfer-Encoding", coding or "", delivery)
    length = present(delivery.header("Content-Length"), "a Content-Length", delivery)
    equal("Content-Length", length, str(len(delivery.body)), delivery)


@case("DIS-17.gzip", "What came compressed is delivered plain, or says so", Need.PING)
async def compressed_topic(stage: Stage) -> Passed:
    topic, callback = stage.topic(), stage.callback()
    topic.on_fetch = _compressed(topic)
    await stage.subscribe(topic, callback, secret="secret")
    topic.change()
    body = topic.content.body
    await stage.ping(topic.url)
    delivery = await stage.delivery(callback, after=DEFAULT_BODY)
    coding = delivery.header("Content-Encoding")
    came = delivery.body
    if coding == "gzip":
        try:
            came = gzip.decompress(came)
        except (OSError, EOFError) as error:
            raise Mismatch("a body that is gzip, as it says", str(error), delivery) from error
    require(came == body, "the topic's bytes", f"{came[:40]!r} coded as {coding}", delivery)
    require(
        is_signed_with(delivery, "secret"), "a signature of the bytes sent", "another", delivery
    )
    was_asked = any("gzip" in (fetch.header("Accept-Encoding") or "") for fetch in topic.fetches)
    return Passed(note="asks for gzip" if was_asked else "does not ask for gzip")


def _compressed(topic: Topic) -> Responder:
    async def respond(exchange: Exchange) -> Reply:
        answer = topic.content.answer()
        if "gzip" not in (exchange.header("Accept-Encoding") or ""):
            return answer
        content = Content(
            body=gzip.compress(answer.body),
            headers=(("Content-Encoding", "gzip"), *topic.content.headers),
        )
        return content.answer()

    return respond
