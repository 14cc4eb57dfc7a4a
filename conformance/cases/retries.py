"""Trying again what failed, and giving up on it (WebSub 7): DIS-13 to DIS-15."""

import time
from functools import partial

from conformance.answer import Answer, Reply, Responder, always, in_turn, status
from conformance.case import Company, Need, case
from conformance.exchange import Exchange
from conformance.judge import require
from conformance.signature import is_signed_with
from conformance.stage import Stage
from conformance.subscriber import Callback
from conformance.verdict import NotApplicable, Passed, Reported

SECRET = "secret"
# Further retries are worth waiting for where the first came this soon.
SOON_S = 2.0
LAST_TRY = 4
LAST_TRY_S = 15.0
# By how much the last of the pauses has to be longer than the first.
GROWTH = 1.3
# What is shorter is no pause, and a multiple of it no growth.
SHORTEST_PAUSE_S = 0.1
HAMMERING = 20
WATCHED_S = 5.0
# Attempts have ended when none comes for so many times the longest pause between two.
QUIET_PAUSES = 3
EXHAUSTION_S = 20.0
LONGEST_PAUSE_S = 4.0


@case(
    "DIS-13",
    "A failed delivery is tried again until it succeeds",
    Need.PING,
    Need.RETRY,
    company=Company.QUIET,
)
async def retried_until_success(stage: Stage) -> Passed | Reported:
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback, secret=SECRET)
    callback.on_delivery = _until_the_last(callback)
    marker = await stage.publish(topic)
    await stage.retry(callback)
    if _pause_before(callback, 1) < SOON_S:
        await callback.until(partial(_beyond, callback, LAST_TRY - 1), LAST_TRY_S)
    await stage.grace()
    tries = callback.deliveries
    pauses_s = [_pause_before(callback, number) for number in range(1, len(tries))]
    grows = len(pauses_s) == 1 or (
        pauses_s == sorted(pauses_s) and pauses_s[-1] >= GROWTH * max(pauses_s[0], SHORTEST_PAUSE_S)
    )
    for delivery in tries:
        require(marker in delivery.body, "the same content", "another", delivery)
        signature = delivery.header("X-Hub-Signature") or "none"
        require(is_signed_with(delivery, SECRET), "a valid signature", signature, delivery)
    successes = [delivery for delivery in tries if delivery.status == 200]
    require(len(successes) <= 1, "no try after the success", f"{len(successes) - 1}", *successes)
    # WebSub 7 leaves the schedule to the hub; by chance the last pause may be the shorter.
    note = f"after {_in_s(pauses_s)}"
    return Passed(note=note) if grows else Reported(finding=f"{note}: the pauses do not grow")


@case("DIS-14", "How often a failing receiver is tried", Need.PING)
async def failing_receiver_is_not_hammered(stage: Stage) -> Reported:
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback)
    callback.on_delivery = status(500)
    await stage.delivery(callback, await stage.publish(topic))
    await callback.until(lambda: callback.deliveries[HAMMERING:] or None, WATCHED_S)
    count = len(callback.deliveries)
    # "self-imposed limits" (WebSub 7) may be any.
    many = f"more than {HAMMERING}, which is hammering" if count > HAMMERING else f"{count}"
    return Reported(finding=f"tries in the first {WATCHED_S:g} s: {many}")


def _active_case(name: str, code: int) -> None:
    @case(
        name, f"After a {code} the subscription stays, and gets what is new", Need.PING, Need.RETRY
    )
    async def active_after_a_failure(stage: Stage) -> None:
        topic, callback = stage.topic(), stage.callback()
        await stage.subscribe(topic, callback)
        callback.on_delivery = in_turn([status(code), always(Answer())])
        await stage.delivery(callback, await stage.publish(topic))
        await stage.settle()
        marker = await stage.publish(topic)
        # A hub may hold a failing receiver's changes back until its next retry.
        await stage.retry(callback)
        await stage.delivery(callback, marker)


_active_case("DIS-15", 500)
_active_case("DIS-15.404", 404)


@case(
    "DIS-15.exhausted", "When all tries have failed the subscription stays", Need.PING, Need.RETRY
)
async def active_after_all_tries(stage: Stage) -> Passed:
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback)
    callback.on_delivery = status(500)
    await stage.delivery(callback, await stage.publish(topic))
    tries = await _tries_until_quiet(stage, callback)
    callback.on_delivery = always(Answer())
    await stage.delivery(callback, await stage.publish(topic))
    return Passed(note=f"after {tries} tries")


def _beyond(callback: Callback, count: int) -> list[Exchange] | None:
    return callback.deliveries[count:] or None


def _until_the_last(callback: Callback) -> Responder:
    """Fails the first try, and the ones up to the last where the first retry came soon."""

    async def respond(_exchange: Exchange) -> Reply:
        number = len(callback.deliveries)
        fails = number == 1 or (number < LAST_TRY and _pause_before(callback, 1) < SOON_S)
        return Answer(status=500 if fails else 200)

    return respond


def _pause_before(callback: Callback, index: int) -> float:
    before, after = callback.deliveries[index - 1], callback.deliveries[index]
    return after.at_s - (before.answered_at_s or before.at_s)


def _in_s(pauses_s: list[float]) -> str:
    return ", ".join(f"{pause_s:.1f} s" for pause_s in pauses_s)


async def _tries_until_quiet(stage: Stage, callback: Callback) -> int:
    await stage.retry(callback)
    started = time.monotonic()
    while time.monotonic() - started < EXHAUSTION_S:
        count = len(callback.deliveries)
        longest_s = max(_pause_before(callback, n) for n in range(1, count))
        if longest_s > LONGEST_PAUSE_S:
            raise NotApplicable(f"retries {longest_s:.0f} s apart: their end is out of sight")
        more = partial(_beyond, callback, count)
        if not await callback.until(more, QUIET_PAUSES * longest_s + 1):
            return count
    raise NotApplicable(f"still tried after {EXHAUSTION_S:g} s")
