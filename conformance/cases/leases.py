"""Leases: granted, announced, enforced (WebSub 5.3, 5.3.1, 8.2): VER-15 to VER-18, SEC-01."""

import asyncio
import time

from conformance.answer import delayed, echo, status
from conformance.case import Company, Need, case
from conformance.exchange import Exchange
from conformance.judge import accepted, answered, present, require
from conformance.publisher import Topic
from conformance.stage import Stage
from conformance.subscriber import Callback
from conformance.verdict import NotApplicable, Passed, Reported
from conformance.world import ShortLease

DAY_S = 86_400
LONG_LEASE_DAYS = 90
GOOD_DEFAULT_DAYS = 15
ENDLESS: dict[str, tuple[str, str | None]] = {
    "zero": ("of 0 s", "0"),
    "negative": ("of -1 s", "-1"),
    "empty": ("that is empty", ""),
    "absent": ("that is absent", None),
    "huge": ("of 30,000 years", "1000000000000"),
}
# How far into a lease it is surely still active, and how long after its end surely not.
EARLY = 0.6
LATE_S = 1.0
CONFIRMATION_TAKES = 0.5
# What a fetch and a delivery may take.
BUSY_S = 0.4


@case("VER-15", "Whether the lease is the one asked for")
async def lease_is_respected(stage: Stage) -> Reported:
    verification = await stage.subscribe(stage.topic(), stage.callback(), lease="3600")
    granted = verification.parameter("hub.lease_seconds")
    return Reported(finding=f"asked for 3600 s, granted {granted or 'none'}")


@case(
    "VER-16",
    "A lease holds until its end, and no longer",
    Need.PING,
    Need.SHORT_LEASE,
    company=Company.QUIET,
)
async def lease_ends(stage: Stage) -> None:
    lease = _short_lease(stage)
    topic, callback, control = stage.topic(), stage.callback(), stage.callback()
    await stage.subscribe(topic, control)
    verification = await stage.subscribe(topic, callback, lease=str(lease.asked_s))
    await _sleep_until(verification.at_s + EARLY * lease.granted_s)
    await _delivered_by(stage, topic, callback, control, verification.at_s + lease.granted_s)
    await _sleep_until(verification.at_s + lease.granted_s + LATE_S)
    await stage.left_out(topic, callback, control)


@case(
    "VER-16.retry",
    "What failed is not tried again after the lease's end",
    Need.PING,
    Need.SHORT_LEASE,
    Need.RETRY,
    company=Company.QUIET,
)
async def no_retry_after_the_end(stage: Stage) -> None:
    lease = _short_lease(stage)
    topic, callback, control = stage.topic(), stage.callback(), stage.callback()
    for subscriber in (control, callback):
        subscriber.on_delivery = status(500)
    await stage.subscribe(topic, control)
    verification = await stage.subscribe(topic, callback, lease=str(lease.asked_s))
    await _sleep_until(verification.at_s + EARLY * lease.granted_s)
    await _delivered_by(stage, topic, callback, control, verification.at_s + lease.granted_s)
    await _sleep_until(verification.at_s + lease.granted_s + LATE_S / 2)
    before = len(callback.deliveries)
    await stage.retry(control, len(control.deliveries) + 1)
    await stage.grace()
    more = callback.deliveries[before:]
    require(not more, "no try after the lease's end", f"{len(more)}", *more[:1])


def _endless_case(name: str, title: str, asked: str | None) -> None:
    @case(f"VER-17.{name}", f"A lease {title} does not become a perpetual one")
    async def no_perpetual_lease(stage: Stage) -> Passed:
        callback = stage.callback()
        answer = await stage.ask("subscribe", stage.topic(), callback, lease=asked)
        if 400 <= (answer.status or 0) < 500:
            await stage.alive()
            return Passed(note=f"refused: {answered(answer)}")
        accepted(answer)
        verification = await stage.verification(callback)
        return _finite(verification)


for _name, (_title, _asked) in ENDLESS.items():
    _endless_case(_name, _title, _asked)


@case(
    "VER-18",
    "A lease runs from the verification, not from its answer",
    Need.PING,
    Need.SHORT_LEASE,
    company=Company.QUIET,
)
async def lease_runs_from_the_verification(stage: Stage) -> None:
    lease = _short_lease(stage)
    topic, callback, control = stage.topic(), stage.callback(), stage.callback()
    await stage.subscribe(topic, control)
    callback.on_verification = delayed(CONFIRMATION_TAKES * lease.granted_s, echo())
    verification = await stage.subscribe(topic, callback, lease=str(lease.asked_s))
    await _delivered_by(stage, topic, callback, control, verification.at_s + lease.granted_s)
    # Later than the lease's end, and earlier than if it ran from the confirmation.
    margin_s = CONFIRMATION_TAKES * lease.granted_s / 2
    await _sleep_until(verification.at_s + lease.granted_s + margin_s)
    await stage.left_out(topic, callback, control)


@case("SEC-01", "The lease granted where none is asked for is short")
async def default_lease(stage: Stage) -> Passed | Reported:
    verification = await stage.subscribe(stage.topic(), stage.callback(), lease=None)
    granted = present(
        verification.parameter("hub.lease_seconds"), "hub.lease_seconds", verification
    )
    require(granted.isdecimal(), "an integer", granted, verification)
    days = int(granted) / DAY_S
    text = f"{days:.3g} days"
    return Passed(note=text) if days <= GOOD_DEFAULT_DAYS else Reported(finding=text)


def _short_lease(stage: Stage) -> ShortLease:
    lease = stage.world.abilities.short_lease
    if lease is None:
        raise NotApplicable(f"{stage.world.abilities.lease_finding}; see --lease-s")
    return lease


def _finite(verification: Exchange) -> Passed:
    lease = verification.parameter("hub.lease_seconds") or ""
    # What is announced is an integer, or VER-08 fails; here it is zero and less that matter.
    number = _number(lease)
    require(number is not None and number > 0, "a lease that ends", lease or "none", verification)
    days = (number or 0) / DAY_S
    return Passed(note=f"{days:.3g} days, which is long" if days > LONG_LEASE_DAYS else lease)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


async def _delivered_by(
    stage: Stage, topic: Topic, callback: Callback, control: Callback, end_s: float
) -> None:
    marker = await stage.publish(topic)
    shown = await stage.delivery(control, marker)
    if shown.at_s > end_s - BUSY_S:
        raise NotApplicable("the hub or this machine is too busy to deliver within a short lease")
    await stage.delivery(callback, marker)


async def _sleep_until(moment_s: float) -> None:
    await asyncio.sleep(max(0, moment_s - time.monotonic()))
