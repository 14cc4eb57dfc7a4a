"""Validation of subscriptions and denial (WebSub 5.2): VAL-01 to VAL-06."""

import asyncio
from dataclasses import dataclass

from conformance.answer import status
from conformance.case import Need, case
from conformance.exchange import Exchange
from conformance.judge import accepted, equal, present, require
from conformance.publisher import Topic
from conformance.stage import Stage
from conformance.subscriber import Callback
from conformance.verdict import NotApplicable, Passed, Reported

# A hub may look at the topic first, and may be patient with it.
VALIDATION_PATIENCE = 2.5
OWN_QUERY = "foo=bar"
DENIED_FOR = (403, 404, 410)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    denied: Exchange
    callback: Callback
    topic: Topic | str

    @property
    def url(self) -> str:
        return self.topic if isinstance(self.topic, str) else self.topic.url


@case("VAL-01.topic-404", "A subscription of a topic that is not there is verified or denied")
async def missing_topic(stage: Stage) -> Passed:
    topic = stage.topic()
    topic.on_fetch = status(404)
    return await _one_of_the_two(stage, topic)


@case("VAL-01.no-hub", "A subscription of a topic without a hub is verified or denied")
async def topic_without_hub(stage: Stage) -> Passed:
    return await _one_of_the_two(stage, stage.topic(links=()))


@case("VAL-01.other-hub", "A subscription of a topic of another hub is verified or denied")
async def topic_of_another_hub(stage: Stage) -> Passed:
    return await _one_of_the_two(stage, _of_another_hub(stage))


@case("VAL-02", "Nothing is delivered before intent is verified", Need.PING)
async def never_confirmed(stage: Stage) -> None:
    topic, callback, control = stage.topic(), stage.callback(), stage.callback()
    await stage.subscribe(topic, control)
    callback.on_verification = status(404)
    await stage.attempt("subscribe", topic, callback)
    await stage.left_out(topic, callback, control)


@case("VAL-03", "A denial is a GET with hub.mode=denied and the topic", Need.PING)
async def denial(stage: Stage) -> None:
    told = await _provoked_denial(stage)
    denied = told.denied
    equal("method", denied.method, "GET", denied)
    equal("hub.mode", denied.parameter("hub.mode"), "denied", denied)
    begins = denied.query.startswith(f"{OWN_QUERY}&")
    require(begins, f"a query that begins {OWN_QUERY}&", denied.query, denied)
    equal("hub.topic", denied.parameter("hub.topic"), told.url, denied)
    challenge = denied.parameter("hub.challenge")
    require(challenge is None, "no hub.challenge", challenge or "", denied)
    await _stays_denied(stage, told)


@case("VAL-05", "An unsubscription is not validated with the publisher")
async def unsubscription_is_not_validated(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback)
    topic.on_fetch = status(404)
    fetched = len(topic.fetches)
    await stage.unsubscribe(topic, callback)
    await stage.grace()
    more = topic.fetches[fetched:]
    require(not more, "no fetch of the topic", f"{len(more)}", *more[:1])
    require(not callback.denials, "no denial", "one", *callback.denials[:1])


@case("VAL-06", "Whether a failed verification is told as a denial")
async def failed_verification_and_denial(stage: Stage) -> Passed | Reported:
    callback = stage.callback()
    callback.on_verification = status(404)
    await stage.attempt("subscribe", stage.topic(), callback)
    await stage.alive()
    await stage.grace()
    return Reported(finding="hub.mode=denied after it") if callback.denials else Passed()


async def _one_of_the_two(stage: Stage, topic: Topic) -> Passed:
    callback = stage.callback()
    accepted(await stage.ask("subscribe", topic, callback))
    timeout_s = stage.options.timeout_s * VALIDATION_PATIENCE
    seen = await callback.until(lambda: callback.exchanges or None, timeout_s)
    first = present(seen, f"a verification or a denial within {timeout_s:g} s")[0]
    return Passed(note="denied" if first in callback.denials else "verified")


def _of_another_hub(stage: Stage) -> Topic:
    link = '<https://hub.example/>; rel="hub"'
    return stage.topic(links=(("Link", link),))


async def _provoked_denial(stage: Stage) -> _Told:
    """Returns a denial, of a topic such as hubs are known to deny."""
    topics = [stage.topic() for _ in DENIED_FOR]
    for topic, code in zip(topics, DENIED_FOR, strict=True):
        topic.on_fetch = status(code)
    topics.append(_of_another_hub(stage))
    tried: list[Topic | str] = [*topics, *filter(None, [stage.options.denied_topic])]
    told = await asyncio.gather(*(_told_of(stage, topic) for topic in tried))
    for one in told:
        if one:
            return one
    raise NotApplicable("the hub denies nothing that the suite tries; see --denied-topic")


async def _told_of(stage: Stage, topic: Topic | str) -> _Told | None:
    callback = stage.callback(f"/callback?{OWN_QUERY}")
    await stage.ask("subscribe", topic, callback)
    await callback.until(lambda: callback.exchanges or None, stage.options.timeout_s)
    # Whatever asks for no confirmation is meant as a denial, and judged as one.
    modes = ("subscribe", "unsubscribe")
    told = [e for e in callback.exchanges if e.parameter("hub.mode") not in modes]
    return _Told(denied=told[0], callback=callback, topic=topic) if told else None


async def _stays_denied(stage: Stage, told: _Told) -> None:
    if isinstance(told.topic, str):
        return
    other, control = stage.topic("/other"), stage.callback("/control")
    await stage.subscribe(other, control)
    told.topic.on_fetch = None
    await stage.publish(told.topic)
    await stage.delivery(control, await stage.publish(other))
    await stage.grace()
    came = told.callback.deliveries
    require(not came, "no delivery after a denial", f"{len(came)}", *came[:1])
