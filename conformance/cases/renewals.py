"""Asking again for a subscription (WebSub 5.1): SUB-17 to SUB-21."""

import asyncio

from conformance.answer import Answer, Responder, always, echo, held, status
from conformance.case import Need, case
from conformance.exchange import Exchange
from conformance.judge import accepted, equal, require
from conformance.signature import is_signed_with
from conformance.stage import Stage

FIRST, SECOND = "first-secret", "second-secret"
REFUSALS: dict[str, tuple[str, Responder]] = {
    "404": ("is answered 404", status(404)),
    "500": ("is answered 500", status(500)),
    "wrong-body": ("is answered with a wrong body", always(Answer(body=b"wrong"))),
}


@case("SUB-17", "Asking again replaces the subscription: one delivery, the new secret", Need.PING)
async def asked_again(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback, secret=FIRST)
    await stage.subscribe(topic, callback, secret=SECOND)
    first = await stage.publish(topic)
    _signed_with(await stage.delivery(callback, first), SECOND)
    await stage.delivery(callback, await stage.publish(topic))
    await stage.grace()
    copies = callback.holding(first)
    equal("number of deliveries of one change:", len(copies), 1, *copies)


@case("SUB-18.blocked", "Until the new request is confirmed, the old state stands", Need.PING)
async def renewal_under_way(stage: Stage) -> None:
    topic, callback, answer_now = stage.topic(), stage.callback(), asyncio.Event()
    await stage.subscribe(topic, callback, secret=FIRST)
    callback.on_verification = held(answer_now, echo())
    accepted(await stage.ask("subscribe", topic, callback, secret=SECOND))
    await stage.verification(callback, 2, answered=False)
    delivery = await stage.delivery(callback, await stage.publish(topic))
    answer_now.set()
    _signed_with(delivery, FIRST)


def _failed_renewal_case(name: str, title: str, refusal: Responder) -> None:
    @case(f"SUB-18.{name}", f"A renewal whose verification {title} changes nothing", Need.PING)
    async def failed_renewal(stage: Stage) -> None:
        topic, callback = stage.topic(), stage.callback()
        await stage.subscribe(topic, callback, secret=FIRST)
        callback.on_verification = refusal
        await stage.attempt("subscribe", topic, callback, secret=SECOND)
        _signed_with(await stage.delivery(callback, await stage.publish(topic)), FIRST)


def _failed_unsubscribe_case(name: str, title: str, refusal: Responder) -> None:
    @case(f"SUB-20.{name}", f"An unsubscribe whose verification {title} ends nothing", Need.PING)
    async def failed_unsubscribe(stage: Stage) -> None:
        topic, callback = stage.topic(), stage.callback()
        await stage.subscribe(topic, callback)
        callback.on_verification = refusal
        await stage.attempt("unsubscribe", topic, callback)
        await stage.delivery(callback, await stage.publish(topic))


for _name, (_title, _refusal) in REFUSALS.items():
    _failed_renewal_case(_name, _title, _refusal)


@case("SUB-19", "A renewal without a secret drops it", Need.PING)
async def secret_is_dropped(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback, secret=FIRST)
    await stage.subscribe(topic, callback)
    delivery = await stage.delivery(callback, await stage.publish(topic))
    signature = delivery.header("X-Hub-Signature")
    require(signature is None, "no X-Hub-Signature", signature or "", delivery)


for _name, (_title, _refusal) in REFUSALS.items():
    _failed_unsubscribe_case(_name, _title, _refusal)


@case("SUB-20.redirect", "An unsubscribe whose verification is redirected ends nothing", Need.PING)
async def redirected_unsubscribe(stage: Stage) -> None:
    topic, callback, elsewhere = stage.topic(), stage.callback(), stage.callback()
    await stage.subscribe(topic, callback)
    callback.on_verification = status(302, elsewhere.url)
    await stage.attempt("unsubscribe", topic, callback)
    await stage.delivery(callback, await stage.publish(topic))


@case("SUB-21", "Each pair of topic and callback is a subscription of its own", Need.PING)
async def pairs_are_separate(stage: Stage) -> None:
    topics = stage.topic("/one"), stage.topic("/two")
    callbacks = stage.callback("/one"), stage.callback("/two")
    for topic in topics:
        for callback in callbacks:
            await stage.subscribe(topic, callback)
    await stage.unsubscribe(topics[0], callbacks[0])
    markers = [await stage.publish(topic) for topic in topics]
    await stage.delivery(callbacks[1], markers[0])
    for callback in callbacks:
        await stage.delivery(callback, markers[1])
    await stage.grace()
    came = [[len(callback.holding(marker)) for marker in markers] for callback in callbacks]
    equal("deliveries a pair:", came, [[0, 1], [1, 1]])


def _signed_with(delivery: Exchange, secret: str) -> None:
    require(
        is_signed_with(delivery, secret),
        f"a delivery signed with {secret}",
        delivery.header("X-Hub-Signature") or "no signature",
        delivery,
    )
