"""What the answer to a request depends on, and on what it doesn't: SUB-10 to SUB-16."""

import asyncio

from conformance.answer import always, echo, held, status
from conformance.case import Need, case
from conformance.exchange import Exchange
from conformance.judge import accepted, answered, equal, present, require
from conformance.linkfield import links_of
from conformance.stage import Stage
from conformance.verdict import NotApplicable, Passed, Reported
from conformance.world import unused_port

# What takes longer is told, and no more: it is the outcome that may make no difference.
PROMPT_S = 2.0
SOON_S = 5.0


@case("SUB-10", "A topic that the hub is told to deny is refused or denied")
async def denied_by_policy(stage: Stage) -> Passed:
    topic = stage.options.denied_topic
    if topic is None:
        raise NotApplicable("--denied-topic names no topic that this hub denies")
    callback = stage.callback()
    answer = await stage.ask("subscribe", topic, callback)
    if 400 <= (answer.status or 0) < 500:
        return Passed(note=f"refused at once: {answered(answer)}")
    denial = await callback.until(lambda: callback.denials or None, stage.options.timeout_s)
    present(denial, "a 4xx answer, or hub.mode=denied at the callback", answer)
    return Passed(note="accepted and then denied")


@case("SUB-11.closed-port", "The answer does not depend on whether the callback listens", Need.PORT)
async def callback_port_closed(stage: Stage) -> Passed:
    listener = await stage.other_port()
    port = await unused_port(stage.world.bind_host)
    base = listener.base_url.rpartition(":")[0]
    answer = await stage.ask("subscribe", stage.topic(), f"{base}:{port}/callback")
    await stage.alive()
    return _independent(answer)


@case("SUB-11.callback-404", "The answer does not depend on what the callback answers")
async def callback_answers_404(stage: Stage) -> Passed:
    callback = stage.callback()
    callback.on_verification = status(404)
    answer = await stage.ask("subscribe", stage.topic(), callback)
    await stage.verification(callback)
    return _independent(answer)


@case("SUB-11.callback-waits", "The answer does not wait for the callback's")
async def callback_waits_for_the_answer(stage: Stage) -> Passed:
    callback, read = stage.callback(), asyncio.Event()
    callback.on_verification = held(read, echo())
    try:
        answer = await stage.ask("subscribe", stage.topic(), callback)
    finally:
        read.set()
    await stage.verification(callback)
    return _independent(answer)


@case("SUB-11.topic-404", "The answer does not depend on what the topic answers")
async def topic_answers_404(stage: Stage) -> Passed:
    topic = stage.topic()
    topic.on_fetch = status(404)
    answer = await stage.ask("subscribe", topic, stage.callback())
    await stage.alive()
    return _independent(answer)


@case("SUB-11.topic-slow", "The answer does not wait for the topic's")
async def topic_is_slow(stage: Stage) -> Passed:
    topic, read = stage.topic(), asyncio.Event()
    topic.on_fetch = held(read, always(topic.content.answer()))
    try:
        answer = await stage.ask("subscribe", topic, stage.callback())
    finally:
        read.set()
    await stage.alive()
    return _independent(answer)


@case("SUB-12", "The verification comes as soon as possible")
async def verification_is_prompt(stage: Stage) -> Passed:
    callback = stage.callback()
    answer = await stage.ask("subscribe", stage.topic(), callback)
    accepted(answer)
    verification = await stage.verification(callback)
    took_s = verification.at_s - answer.at_s
    require(took_s <= SOON_S, f"it within {SOON_S:g} s", f"{took_s:.1f} s", answer, verification)
    return Passed(note=f"after {took_s:.2f} s")


@case("SUB-13", "A hub that has moved answers 307 or 308 with a Location")
async def moved_hub(stage: Stage) -> None:
    url = stage.options.moved_url
    if url is None:
        raise NotApplicable("--moved-url names no hub URL that has moved")
    answer = await stage.world.client.send("POST", url=url, log=stage.exchanges)
    require(answer.status in (307, 308), "307 or 308", answered(answer), answer)
    present(answer.answer_header("Location"), "a Location", answer)


@case("SUB-15.form", "A percent-encoded form is decoded once")
async def form_is_decoded(stage: Stage) -> None:
    topic, callback = stage.topic("/~a"), stage.callback()
    fields = (
        f"hub.mode=subscribe&hub.topic={_every_byte(topic.url)}"
        f"&hub.callback={_every_byte(callback.url)}"
    )
    accepted(await stage.send_body(fields.encode()))
    verification = await stage.verification(callback)
    equal("hub.topic", verification.parameter("hub.topic"), topic.url, verification)


@case("SUB-15.equivalent", "Whether a ping for /~a reaches who subscribed to /%7Ea", Need.PING)
async def equivalent_topics(stage: Stage) -> Reported:
    # Without rel=self: a hub that fetches /~a must not be told there that /%7Ea is meant.
    link = f'<{stage.hub_url}>; rel="hub"'
    topic, other = stage.topic("/%7Ea", links=(("Link", link),)), stage.topic()
    callback, control = stage.callback(), stage.callback()
    await stage.subscribe(topic, callback)
    await stage.subscribe(other, control)
    marker = topic.change()
    await stage.ping(topic.url.replace("%7E", "~"))
    await stage.delivery(control, await stage.publish(other))
    await stage.grace()
    reached = "matches" if callback.holding(marker) else "does not match"
    return Reported(finding=f"a ping for /~a {reached} a subscription of /%7Ea")


@case("SUB-16", "A topic that is not its own rel=self is delivered or denied", Need.PING)
async def topic_with_another_self(stage: Stage) -> Passed:
    canonical = stage.topic("/canonical")
    topic = stage.topic("/topic", links=(("Link", stage.link(canonical.url)),))
    callback = stage.callback()
    accepted(await stage.ask("subscribe", topic, callback))
    seen = await callback.until(lambda: callback.exchanges or None, stage.options.timeout_s)
    first = present(seen, "a verification or a denial")[0]
    if first in callback.denials:
        return Passed(note="denied")
    await stage.verification(callback)
    await stage.settle()
    delivery = await stage.delivery(callback, await stage.publish(topic))
    selves = [link.url for link in links_of(delivery) if "self" in link.rels]
    return Passed(note=f"delivered with rel=self {', '.join(selves) or 'none'}")


def _independent(answer: Exchange) -> Passed:
    """The rule of WebSub 5.1.2, "MUST NOT depend on the process or outcome" of verification."""
    accepted(answer)
    took_s = (answer.answered_at_s or answer.at_s) - answer.at_s
    return Passed(note=f"answered after {took_s:.1f} s" if took_s > PROMPT_S else "")


def _every_byte(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())
