"""Addresses that nobody may have a hub connect to (WebSub 8, practice): SEC-04.

They are played against a hub with its protection on: `--protected-url`, or the hub itself where it
refuses ours. Where `--protected-reach` names an address of this machine that this hub is allowed to
reach, what arrives there is the control.
"""

import contextlib
import ipaddress
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

from conformance.answer import status
from conformance.case import Need, case
from conformance.exchange import Exchange
from conformance.judge import answered, require
from conformance.listener import Listener
from conformance.publisher import Topic
from conformance.site import Site
from conformance.stage import Stage
from conformance.subscriber import Callback
from conformance.verdict import NotApplicable, Passed, Reported
from conformance.world import is_private

OUR_HUB_IS_OPEN = (
    "this hub is told to allow private addresses; "
    "--protected-url names the same hub started without that"
)
UNSEEN = "that this hub connects to anything is not seen: see --protected-reach"
LINK_LOCAL = "http://169.254.169.254/latest/"
LOOPBACK = "127.0.0.1"
LOOPBACK_6 = "::1"
# However an address is written, libraries that connect take it: the host of a URL, made of it.
SPELLINGS: dict[str, tuple[str, Callable[[str], list[str]]]] = {
    "literal": (
        "as it is",
        lambda address: [address, *(["0.0.0.0"] if address == LOOPBACK else [])],
    ),
    "written": (
        "as a number, in hex, or short",
        lambda address: [
            str(int(ipaddress.IPv4Address(address))),
            hex(int(ipaddress.IPv4Address(address))),
            *(["127.1", "0"] if address == LOOPBACK else []),
        ],
    ),
    "mapped": (
        "as an IPv6 address that holds it",
        lambda address: [f"[::ffff:{address}]", f"[::ffff:{_in_groups(address)}]"],
    ),
    "name": (
        "as a name",
        lambda address: ["localhost", "LocalHost"] if address == LOOPBACK else [],
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """A hub with its protection on.

    Attributes:
        stage: of requests to it.
        open_stage: of requests to the same hub without the protection, if there is one.
        reach: a server of ours that it is allowed to reach, if there is one.
    """

    stage: Stage
    open_stage: Stage | None
    reach: Listener | None


def _spelling_case(name: str, title: str, hosts: Callable[[str], list[str]]) -> None:
    @case(f"SEC-04.{name}", f"A callback on a private address, {title}, is not asked", Need.PORT)
    async def private_callback(stage: Stage) -> Passed | Reported:
        if not is_private(stage.world.listener.base_url):
            return await _by_the_answers(stage, name)
        async with _guarded(stage) as guarded:
            listener = await guarded.stage.other_port()
            callbacks = [guarded.stage.callback(listener=listener)]
            urls = [_at(callbacks[0].url, host) for host in hosts(_address_of(listener))]
            if not urls:
                raise NotApplicable("no name leads to our address wherever the hub runs")
            if name == "literal":
                callbacks += await _on_ipv6(guarded.stage)
                urls += [callback.url for callback in callbacks[1:]]
            topic = guarded.stage.topic(listener=guarded.reach)
            answers = [await guarded.stage.ask("subscribe", topic, url) for url in urls]
            await _control(guarded)
            for callback in callbacks:
                _unreached(callback)
            said = list(dict.fromkeys(map(answered, answers)))
            return Passed(note="; ".join(said if guarded.reach else [*said, UNSEEN]))


for _name, (_title, _hosts) in SPELLINGS.items():
    _spelling_case(_name, _title, _hosts)


@case("SEC-04.topic", "A topic on a private address is not fetched", Need.PING, Need.PORT)
async def private_topic(stage: Stage) -> None:
    async with _guarded(stage) as guarded:
        reach = _reach(guarded)
        topic = guarded.stage.topic(listener=await guarded.stage.other_port())
        await guarded.stage.ask("subscribe", topic, guarded.stage.callback(listener=reach))
        await guarded.stage.ping(topic.url)
        control = guarded.stage.topic("/control", listener=reach)
        await guarded.stage.subscribe(control, guarded.stage.callback(listener=reach))
        await guarded.stage.ping(control.url)
        await _fetched(stage, control)
        await stage.grace()
        _unreached(topic)


@case("SEC-04.redirect", "No redirect leads to a private address", Need.PING, Need.PORT)
async def redirect_to_a_private_address(stage: Stage) -> None:
    async with _guarded(stage) as guarded:
        reach = _reach(guarded)
        private = guarded.stage.topic(listener=await guarded.stage.other_port())
        topic = guarded.stage.topic(listener=reach)
        topic.on_fetch = status(302, private.url)
        await guarded.stage.ask("subscribe", topic, guarded.stage.callback(listener=reach))
        await guarded.stage.ping(topic.url)
        await _fetched(stage, topic)
        await _control(guarded)
        _unreached(private)


@contextlib.asynccontextmanager
async def _guarded(stage: Stage) -> AsyncIterator[Guarded]:
    world = stage.world
    if world.protected is None and not world.abilities.refuses_us:
        raise NotApplicable(OUR_HUB_IS_OPEN)
    client = world.protected or world.client
    async with Stage(replace(world, client=client), (Need.PORT, Need.PING)) as guarded:
        yield Guarded(
            stage=guarded,
            open_stage=stage if world.protected else None,
            reach=await _reachable(guarded, stage.options.protected_reach),
        )


async def _reachable(stage: Stage, host: str | None) -> Listener | None:
    try:
        return await stage.other_port(host=host) if host else None
    except OSError as error:
        raise NotApplicable(f"{host} is no address of this machine: {error}") from error


async def _control(guarded: Guarded) -> None:
    """Waits until a hub has shown that it would have connected by now."""
    stage = guarded.stage
    if guarded.reach:
        topic = stage.topic("/control", listener=guarded.reach)
        await stage.subscribe(topic, stage.callback("/control", listener=guarded.reach))
    elif guarded.open_stage:
        await guarded.open_stage.alive()
    await stage.grace()


def _reach(guarded: Guarded) -> Listener:
    if guarded.reach is None:
        raise NotApplicable("--protected-reach names no address that the protected hub may reach")
    return guarded.reach


async def _fetched(stage: Stage, topic: Topic) -> None:
    fetched = await topic.until(lambda: topic.fetches or None, stage.options.timeout_s)
    require(fetched, f"a fetch of {topic.url}", "none")


def _unreached(site: Site) -> None:
    came: list[Exchange] = site.exchanges
    require(not came, "no connection to it", f"{len(came)} requests", *came[:1])


async def _on_ipv6(stage: Stage) -> list[Callback]:
    try:
        return [stage.callback(listener=await stage.other_port(host=LOOPBACK_6))]
    except OSError:
        return []  # this machine has no IPv6


def _address_of(listener: Listener) -> str:
    host = listener.base_url.partition("://")[2].rpartition(":")[0]
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError as error:
        raise NotApplicable(f"our address {host} is no IPv4 address") from error


def _at(url: str, host: str) -> str:
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{host}:{authority.rpartition(':')[2]}{slash}{path}"


def _in_groups(address: str) -> str:
    number = int(ipaddress.IPv4Address(address))
    return f"{number >> 16:x}:{number & 0xFFFF:x}"


async def _by_the_answers(stage: Stage, name: str) -> Reported:
    # Where ours is a public address nobody sees what the hub connects to: its answers have to do.
    if name != "literal":
        raise NotApplicable("our address is public, so that others can't be watched")
    urls = (LINK_LOCAL, f"http://{LOOPBACK}:9/", f"http://[{LOOPBACK_6}]:9/")
    answers = [await stage.ask("subscribe", stage.topic(), url) for url in urls]
    said = ", ".join(f"{url}: {answered(a)}" for url, a in zip(urls, answers, strict=True))
    return Reported(finding=said)
