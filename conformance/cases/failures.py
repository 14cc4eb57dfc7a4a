"""What a callback's answer to a delivery means (WebSub 7): DIS-09 to DIS-12."""

import asyncio
from collections.abc import AsyncIterator

from conformance.answer import Answer, Hangup, Responder, Stream, always, failing_once, status
from conformance.case import Need, case
from conformance.exchange import Exchange
from conformance.judge import equal, require
from conformance.stage import Stage
from conformance.verdict import NotApplicable, Passed, Reported

SUCCESSES = (200, 201, 202, 204, 206, 299)
REDIRECTS = (301, 302, 303, 307, 308)
FAILURES = (400, 404, 500, 503)
LARGE_BYTES = 50 * 2**20
PIECE = b"x" * 2**16
ENDLESS_PAUSE_S = 0.02


def _success_case(code: int) -> None:
    @case(f"DIS-09.{code}", f"{code} is a success: no second copy", Need.PING, Need.RETRY)
    async def success(stage: Stage) -> Passed:
        return await _one_copy(stage, status(code))


for _code in SUCCESSES:
    _success_case(_code)


@case("DIS-10", "What 410 does to the subscription", Need.PING)
async def gone(stage: Stage) -> Reported:
    topic, callback, control = stage.topic(), stage.callback(), stage.callback()
    await stage.subscribe(topic, control)
    await stage.subscribe(topic, callback)
    callback.on_delivery = status(410)
    await stage.delivery(callback, await stage.publish(topic))
    await stage.settle()
    marker = await stage.publish(topic)
    await stage.delivery(control, marker)
    await stage.grace()
    kept = "goes on" if callback.holding(marker) else "has ended"
    return Reported(finding=f"after 410 the subscription {kept}")


def _redirect_case(code: int) -> None:
    @case(f"DIS-11.{code}", f"{code} is a failure, and is not followed", Need.PING)
    async def redirected_delivery(stage: Stage) -> None:
        topic, callback, elsewhere = stage.topic(), stage.callback(), stage.callback("/elsewhere")
        control = stage.callback("/control")
        await stage.subscribe(topic, control)
        await stage.subscribe(topic, callback)
        callback.on_delivery = status(code, elsewhere.url)
        marker = await stage.publish(topic)
        await stage.delivery(callback, marker)
        await stage.delivery(control, await stage.publish(topic))
        await stage.grace()
        came = elsewhere.exchanges
        require(not came, "no request to the place redirected to", f"{len(came)}", *came[:1])


for _code in REDIRECTS:
    _redirect_case(_code)


def _failure_case(name: str, title: str, failure: Responder) -> None:
    @case(
        f"DIS-11.{name}", f"{title} is a failure: the content is tried again", Need.PING, Need.RETRY
    )
    async def failure_is_noticed(stage: Stage) -> None:
        topic, callback = stage.topic(), stage.callback()
        await stage.subscribe(topic, callback)
        marker = topic.change()
        callback.on_delivery = failing_once(marker, failure)
        await stage.ping(topic.url)
        await stage.retry(callback, marker=marker)


for _code in FAILURES:
    _failure_case(str(_code), str(_code), status(_code))
_failure_case("redirect", "A redirect", status(302, "/elsewhere"))


@case(
    "DIS-11.close",
    "A closed connection is a failure: tried again",
    Need.PING,
    Need.RETRY,
    Need.PORT,
)
async def closed_connection(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback(listener=await stage.other_port())
    await stage.subscribe(topic, callback)
    marker = topic.change()
    callback.on_delivery = failing_once(marker, always(Hangup()))
    await stage.ping(topic.url)
    await stage.retry(callback, marker=marker)


@case("DIS-12.json", "The body of the answer is ignored", Need.PING, Need.RETRY)
async def error_in_the_body(stage: Stage) -> Passed:
    headers = (("Content-Type", "application/json"),)
    return await _one_copy(stage, always(Answer(headers=headers, body=b'{"error": 1}')))


@case("DIS-12.large", "A success with an answer of 50 MiB is one", Need.PING, Need.RETRY)
async def large_answer(stage: Stage) -> Passed:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(LARGE_BYTES // len(PIECE)):
            yield PIECE

    async def stream(_exchange: Exchange) -> Stream:
        return Stream(pieces=pieces())

    return await _one_copy(stage, stream)


@case("DIS-12.endless", "An answer without an end holds up nobody", Need.PING)
async def endless_answer(stage: Stage) -> None:
    topic, callback, control = stage.topic(), stage.callback(), stage.callback("/control")
    await stage.subscribe(topic, callback)
    await stage.subscribe(topic, control)

    async def pieces() -> AsyncIterator[bytes]:
        while not stage.over.is_set():
            yield PIECE
            await asyncio.sleep(ENDLESS_PAUSE_S)

    async def stream(_exchange: Exchange) -> Stream:
        return Stream(pieces=pieces())

    callback.on_delivery = stream
    marker = await stage.publish(topic)
    await stage.delivery(callback, marker, answered=False)
    await stage.delivery(control, marker)
    newer = await stage.publish(topic)
    await stage.delivery(control, newer)
    # The answer's head was a success, so the receiver is not held back by its body either.
    await stage.delivery(callback, newer, answered=False, answer_takes_s=stage.options.timeout_s)
    await stage.alive()


async def _one_copy(stage: Stage, success: Responder) -> Passed:
    """Fails where a second copy comes by the time that a failing control gets its retry."""
    topic, callback, control = stage.topic(), stage.callback(), stage.callback("/control")
    await stage.subscribe(topic, control)
    await stage.subscribe(topic, callback)
    callback.on_delivery = success
    marker = topic.change()
    control.on_delivery = failing_once(marker, status(500))
    await stage.ping(topic.url)
    await stage.delivery(callback, marker, answered=False)
    note = ""
    try:
        await stage.retry(control, marker=marker)
    except NotApplicable as error:
        note = error.reason
    await stage.grace()
    copies = callback.holding(marker)
    equal("number of deliveries:", len(copies), 1, *copies)
    if note:
        raise NotApplicable(note)
    return Passed()
