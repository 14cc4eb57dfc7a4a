"""Requests that overtake one another, and deliveries they meet: EXT-04 to EXT-06, EXT-09."""

import asyncio

from conformance.answer import SAFE, Answer, Responder, always, echo, held, in_turn, status
from conformance.case import Need, case
from conformance.exchange import Exchange
from conformance.judge import accepted, answered, equal, require
from conformance.publisher import Topic
from conformance.signature import is_signed_with
from conformance.stage import Stage
from conformance.subscriber import Callback
from conformance.verdict import NotApplicable

FIRST, SECOND = "first-secret", "second-secret"
# How long a hub may take to ask about the second request while the first waits.
OVERTAKING_S = 2.0


@case("EXT-04", "A renewal while a delivery is under way holds for what comes next", Need.PING)
async def renewal_during_delivery(stage: Stage) -> None:
    topic, callback, go_on = stage.topic(), stage.callback(), asyncio.Event()
    await stage.subscribe(topic, callback, secret=FIRST)
    await _under_way(stage, topic, callback, go_on)
    await stage.subscribe(topic, callback, secret=SECOND)
    go_on.set()
    marker = await stage.publish(topic)
    _signed(await stage.delivery(callback, marker), SECOND)
    await stage.delivery(callback, await stage.publish(topic))
    await stage.grace()
    copies = callback.holding(marker)
    equal("number of deliveries:", len(copies), 1, *copies)


@case("EXT-05", "An unsubscription while a delivery is under way holds", Need.PING)
async def unsubscription_during_delivery(stage: Stage) -> None:
    topic, callback, go_on = stage.topic(), stage.callback(), asyncio.Event()
    control = stage.callback("/control")
    await stage.subscribe(topic, control)
    await stage.subscribe(topic, callback)
    await _under_way(stage, topic, callback, go_on)
    await stage.unsubscribe(topic, callback)
    go_on.set()
    await stage.left_out(topic, callback, control)


@case("EXT-06", "An older request confirmed after a newer one failed is applied", Need.PING)
async def older_after_newer_failed(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback()
    await _overtaken(stage, topic, callback, newer=status(404))
    delivery = await stage.delivery(callback, await stage.publish(topic))
    _signed(delivery, FIRST)


@case("EXT-09", "An older request confirmed after a newer one does not undo it", Need.PING)
async def older_after_newer(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback()
    await _overtaken(stage, topic, callback, newer=echo())
    delivery = await stage.delivery(callback, await stage.publish(topic))
    _signed(delivery, SECOND)


async def _under_way(stage: Stage, topic: Topic, callback: Callback, go_on: asyncio.Event) -> None:
    """Leaves a delivery waiting for its answer until `go_on` is set."""
    taken = always(Answer(headers=SAFE))
    callback.on_delivery = in_turn([held(go_on, taken), taken])
    await stage.delivery(callback, await stage.publish(topic), answered=False)


async def _overtaken(stage: Stage, topic: Topic, callback: Callback, newer: Responder) -> None:
    """Asks twice; the first verification is answered after the second one, or when it must."""
    go_on = asyncio.Event()
    callback.on_verification = in_turn([held(go_on, echo()), newer])
    accepted(await stage.ask("subscribe", topic, callback, secret=FIRST))
    await stage.verification(callback, answered=False)
    answer = await stage.ask("subscribe", topic, callback, secret=SECOND)
    if not 200 <= (answer.status or 0) < 300:
        raise NotApplicable(f"one pending request at a time: {answered(answer)}")
    is_overtaken = await callback.until(
        lambda: callback.verifications[1].answered_at_s if callback.verifications[1:] else None,
        OVERTAKING_S,
    )
    if not is_overtaken:
        raise NotApplicable("the hub asks about the second request only after the first")
    await stage.settle()
    go_on.set()
    await stage.verification(callback, 2)
    await stage.verification(callback, 1)
    await stage.settle()


def _signed(delivery: Exchange, secret: str) -> None:
    signature = delivery.header("X-Hub-Signature") or "none"
    require(is_signed_with(delivery, secret), f"signed with {secret}", signature, delivery)
