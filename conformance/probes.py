"""What a hub can do, found out before the cases run: each ability as an experiment."""

import asyncio
from dataclasses import dataclass, replace
from functools import partial

from conformance.case import Need
from conformance.client import HubClient
from conformance.exchange import Exchange
from conformance.judge import accepted, answered
from conformance.listener import Listener
from conformance.options import (
    DEFAULT_SHORT_LEASE_S,
    LONGEST_SHORT_LEASE_S,
    Options,
    PingForm,
)
from conformance.stage import Stage
from conformance.subscriber import Callback
from conformance.verdict import Mismatch
from conformance.world import Abilities, ShortLease, World, is_private

PING_PATIENCE = 0.5
WAY_OUT = (
    "allow private addresses there, or name ours as the hub reaches them by --bind and --base-url"
)


class HubUnreachable(Exception):
    """Nobody answers at the hub's URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ping:
    form: PingForm | None
    finding: str


async def probe(options: Options, client: HubClient, listener: Listener) -> Abilities:
    """Returns what the hub can do.

    Raises:
        HubUnreachable: there is no answer to a request at all.
    """
    try:
        await client.send("POST")
    except Mismatch as error:
        raise HubUnreachable(f"no answer from {client.hub_url} ({error.came})") from error
    nothing = Abilities(takes_leases=False)
    world = World(options=options, client=client, listener=listener, abilities=nothing)
    barrier = await _barrier(world)
    if barrier:
        return barrier
    found, ping = await asyncio.gather(_leases(world), _ping_form(world))
    return replace(found, ping_form=ping.form, ping_finding=ping.finding)


async def _barrier(world: World) -> Abilities | None:
    """Returns why no case can be played, or None: the hub refuses our addresses, or keeps away."""
    refusals = []
    # Asked both ways, since a hub may refuse a request for its lease, or for having none.
    for lease in (None, str(DEFAULT_SHORT_LEASE_S)):
        async with Stage(world, ()) as stage:
            callback = stage.callback()
            answer = await stage.ask("subscribe", stage.topic(), callback, lease=lease)
            if 200 <= (answer.status or 0) < 300:
                return await _silence(stage, callback)
        refusals.append(answered(answer))
    if not is_private(world.listener.base_url):
        return None
    refusal = f"the hub refuses our addresses ({refusals[0]}); {WAY_OUT}"
    return Abilities(refuses_us=refusal)


async def _silence(stage: Stage, callback: Callback) -> Abilities | None:
    timeout_s = stage.options.timeout_s
    if await callback.until(lambda: stage.arrived or None, timeout_s):
        return None
    url = stage.world.listener.base_url
    silence = f"nothing of the hub has reached {url} within {timeout_s:g} s; {WAY_OUT}"
    return Abilities(keeps_away=silence)


async def _leases(world: World) -> Abilities:
    asked_s = world.options.lease_s or DEFAULT_SHORT_LEASE_S
    async with Stage(world, ()) as stage:
        callback = stage.callback()
        try:
            accepted(await stage.ask("subscribe", stage.topic(), callback, lease=str(asked_s)))
        except Mismatch as error:
            finding = f"hub.lease_seconds={asked_s} is not accepted: {error.came}"
            return Abilities(takes_leases=False, lease_finding=finding)
        try:
            verification = await stage.verification(callback)
        except Mismatch as error:
            return Abilities(lease_finding=f"no verification: {error.came}")
    return _granted(asked_s, verification.parameter("hub.lease_seconds") or "")


def _granted(asked_s: int, granted: str) -> Abilities:
    if not granted.isdecimal() or not 1 <= int(granted) <= LONGEST_SHORT_LEASE_S:
        finding = f"asked for a lease of {asked_s} s, the hub announces {granted or 'none'}"
        return Abilities(lease_finding=finding)
    return Abilities(short_lease=ShortLease(asked_s=asked_s, granted_s=int(granted)))


async def _ping_form(world: World) -> _Ping:
    forms = (world.options.ping_form,) if world.options.ping_form else tuple(PingForm)
    async with Stage(world, [Need.PING]) as stage:
        topic, callback = stage.topic(), stage.callback()
        try:
            await stage.subscribe(topic, callback)
        except Mismatch as error:
            return _Ping(form=forms[0], finding=f"not tried: {error}")
        for form in forms:
            fetched = len(topic.fetches)
            marker = topic.change()
            try:
                await stage.ping_as(form, topic.url)
            except Mismatch:
                continue
            timeout_s = world.options.timeout_s * PING_PATIENCE
            if await callback.until(partial(_holding, callback, marker), timeout_s):
                return _Ping(form=form, finding="")
            if len(topic.fetches) > fetched:
                return _Ping(form=form, finding="fetched after a ping, but not delivered")
    tried = " or ".join(f"hub.{form.value}" for form in forms)
    return _Ping(form=None, finding=f"a ping with {tried} leads to no fetch and no delivery")


def _holding(callback: Callback, marker: bytes) -> list[Exchange] | None:
    return callback.holding(marker) or None
