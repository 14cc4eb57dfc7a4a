"""Ending a subscription (WebSub 5.1): UNS-01 to UNS-03."""

from conformance.answer import status
from conformance.case import Need, case
from conformance.judge import accepted, answered, equal, require, status_is
from conformance.stage import Stage
from conformance.verdict import Level, Reported


@case("UNS-01", "After a confirmed unsubscription nothing is delivered", Need.PING)
async def unsubscription(stage: Stage) -> None:
    topic, callback, control = stage.topic(), stage.callback(), stage.callback()
    await stage.subscribe(topic, control)
    await stage.subscribe(topic, callback)
    await stage.delivery(callback, await stage.publish(topic))
    answer = await stage.ask("unsubscribe", topic, callback)
    status_is(answer, 202, "to an unsubscription request")
    verification = await stage.verification(callback, 2)
    equal("hub.topic", verification.parameter("hub.topic"), topic.url, verification)
    await stage.settle()
    await stage.left_out(topic, callback, control)


@case("UNS-02", "What an unsubscription of an unknown pair is answered, and touches", Need.PING)
async def unknown_pair(stage: Stage) -> Reported:
    topic, callback, other = stage.topic(), stage.callback(), stage.callback()
    await stage.subscribe(topic, callback)
    answers = [
        await stage.ask("unsubscribe", topic, other),
        await stage.ask("unsubscribe", stage.topic("/other"), callback),
    ]
    await stage.settle()
    await stage.delivery(callback, await stage.publish(topic))
    said = ", ".join(dict.fromkeys(answered(answer) for answer in answers))
    return Reported(finding=f"{said}; other subscriptions stay")


@case(
    "UNS-02.others",
    "Ending one subscription leaves those of other callbacks",
    Need.PING,
    level=Level.MUST,
)
async def others_stay(stage: Stage) -> None:
    topic, callback, other = stage.topic(), stage.callback("/one"), stage.callback("/two")
    await stage.subscribe(topic, callback)
    await stage.subscribe(topic, other)
    await stage.unsubscribe(topic, callback)
    await stage.delivery(other, await stage.publish(topic))


@case("UNS-03", "After the unsubscription a failed delivery is not retried", Need.PING, Need.RETRY)
async def queue_is_cancelled(stage: Stage) -> None:
    topic, callback, control = stage.topic(), stage.callback(), stage.callback()
    for subscriber in (callback, control):
        await stage.subscribe(topic, subscriber)
        subscriber.on_delivery = status(500)
    marker = await stage.publish(topic)
    for subscriber in (callback, control):
        await stage.delivery(subscriber, marker)
    accepted(await stage.ask("unsubscribe", topic, callback))
    await stage.verification(callback, 2)
    await stage.settle()
    before = len(callback.deliveries)
    # The control's next try from now on shows that this one's would have come, too.
    await stage.retry(control, len(control.deliveries) + 1)
    await stage.grace()
    more = callback.deliveries[before:]
    require(not more, "no retry after the unsubscription", f"{len(more)}", *more[:1])
