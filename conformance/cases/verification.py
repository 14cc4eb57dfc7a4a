"""What the verification of intent looks like (WebSub 5.3): VER-01 to VER-09, VER-20."""

import asyncio
import re

from conformance.answer import echo
from conformance.case import Need, case
from conformance.exchange import Exchange
from conformance.judge import accepted, equal, present, require, spelt
from conformance.stage import Stage
from conformance.verdict import NotApplicable, Passed, Reported

CHALLENGES = 20
CHALLENGE = re.compile(r"[+\-./0-9=A-Z_a-z]+")
SHORTEST_CHALLENGE, LONGEST_CHALLENGE = 16, 128
QUERY = "foo=bar&red=fish&a=%2F&b=c+d&e&f="
OWN = "hub.challenge=mine&hub.mode=x"
# How the topic's URL is written, made of the plain one.
TOPICS = {
    "query": ("a query", "/topic?a=1&b=2"),
    "space": ("an encoded space", "/a%20topic"),
    "encoded": ("an encoded letter", "/%C3%A9"),
    "lower-hex": ("hex digits in lower case", "/%c3%a9"),
    "slash": ("a slash at its end", "/topic/"),
    "bare-query": ("parameters without values", "/topic?a&b="),
}


@case("VER-01", "It is a GET of the callback as given")
async def get_of_the_callback(stage: Stage) -> Reported | None:
    callback = stage.callback("/p/%7Ex/a%2Fb//c")
    verification = await stage.subscribe(stage.topic(), callback)
    equal("method", verification.method, "GET", verification)
    equal("body", verification.body, b"", verification)
    authority, slash, path = callback.url.partition("://")[2].partition("/")
    equal("Host", verification.header("Host"), authority, verification)
    return spelt("path", verification.path, slash + path, verification)


@case("VER-01.fragment", "A callback's fragment is refused, or stays out of the request")
async def fragment_of_the_callback(stage: Stage) -> Reported | None:
    callback = stage.callback()
    answer = await stage.ask("subscribe", stage.topic(), f"{callback.url}#part")
    if 400 <= (answer.status or 0) < 500:
        return Reported(finding="refuses a callback with a fragment")
    verification = await stage.verification(callback)
    require("#" not in verification.target, "no # in it", verification.target, verification)
    return Reported(finding="takes a callback with a fragment, and leaves it out")


@case("VER-02", "The callback's query is kept, and what is new is appended")
async def query_is_kept(stage: Stage) -> None:
    callback = stage.callback(f"/callback?{QUERY}")
    verification = await stage.subscribe(stage.topic(), callback)
    query = verification.query
    require(query.startswith(f"{QUERY}&hub."), f"a query {QUERY}&hub...", query, verification)
    require("?" not in query, "one question mark", verification.target, verification)


@case("VER-03", "Parameters of the callback with the same names are left alone", Need.PING)
async def own_parameters_are_kept(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback(f"/callback?{OWN}")
    verification = await stage.subscribe(topic, callback)
    query = verification.query
    require(query.startswith(f"{OWN}&"), f"a query that begins {OWN}&", query, verification)
    appended = verification.parameter("hub.challenge")
    require(appended not in (None, "mine"), "an appended hub.challenge", query, verification)
    await stage.delivery(callback, await stage.publish(topic))


@case("VER-04.subscribe", "hub.mode of a subscription's verification is subscribe")
async def mode_is_subscribe(stage: Stage) -> None:
    verification = await stage.subscribe(stage.topic(), stage.callback())
    equal("hub.mode", verification.parameter("hub.mode"), "subscribe", verification)


@case("VER-04.unsubscribe", "hub.mode of an unsubscription's verification is unsubscribe")
async def mode_is_unsubscribe(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback)
    verification = await stage.unsubscribe(topic, callback)
    equal("hub.mode", verification.parameter("hub.mode"), "unsubscribe", verification)


def _topic_case(name: str, title: str, path: str) -> None:
    @case(f"VER-05.{name}", f"hub.topic is the one asked for, with {title}")
    async def topic_is_echoed(stage: Stage) -> None:
        topic = stage.topic(path)
        verification = await stage.subscribe(topic, stage.callback())
        equal("hub.topic", verification.parameter("hub.topic"), topic.url, verification)


for _name, (_title, _path) in TOPICS.items():
    _topic_case(_name, _title, _path)


@case("VER-05.host", "hub.topic is the one asked for, with a host in upper case")
async def host_in_upper_case(stage: Stage) -> None:
    await _foreign_topic(stage, "http://LocalHost/Topic")


@case("VER-05.port", "hub.topic is the one asked for, with the port 80 written out")
async def port_80(stage: Stage) -> None:
    await _foreign_topic(stage, "http://localhost:80/topic")


@case("VER-06", "Challenges are random")
async def challenges_are_random(stage: Stage) -> Passed:
    found = await _challenges(stage)
    require(all(found), "a challenge each time", f"{found.count('')} without")
    require(len(set(found)) == len(found), "challenges that differ", _some(found))
    shortest = min(map(len, found))
    require(
        shortest >= SHORTEST_CHALLENGE, f"at least {SHORTEST_CHALLENGE} characters", _some(found)
    )
    require(not _is_counted(found), "challenges that cannot be guessed", _some(found))
    return Passed(note=f"{len(found)} of {shortest} characters or more")


@case("VER-07", "Challenges use only + - . / 0-9 = A-Z _ a-z")
async def characters_of_challenges(stage: Stage) -> Passed:
    found = [challenge for challenge in await _challenges(stage) if challenge]
    require(found, "challenges to look at", "none")
    for challenge in found:
        require(CHALLENGE.fullmatch(challenge), "only these characters", challenge)
    longest = max(map(len, found))
    return Passed(note="longer than 128" if longest > LONGEST_CHALLENGE else "")


@case("VER-08", "The lease granted is announced as a decimal integer")
async def lease_is_announced(stage: Stage) -> None:
    for asked in ("3600", None):
        verification = await stage.subscribe(stage.topic(), stage.callback(), lease=asked)
        lease = present(
            verification.parameter("hub.lease_seconds"), "hub.lease_seconds", verification
        )
        require(
            re.fullmatch("[1-9][0-9]*", lease), "a positive decimal integer", lease, verification
        )


@case("VER-09", "Whether the verification of an unsubscribe names a lease")
async def lease_of_an_unsubscribe(stage: Stage) -> Reported:
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback)
    verification = await stage.unsubscribe(topic, callback)
    lease = verification.parameter("hub.lease_seconds")
    return Reported(finding=f"hub.lease_seconds {lease if lease is not None else 'absent'}")


@case("VER-20", "It carries a User-Agent and a Host")
async def user_agent(stage: Stage) -> None:
    verification = await stage.subscribe(stage.topic(), stage.callback())
    for name in ("User-Agent", "Host"):
        require(verification.header(name), f"a {name} that is not empty", "none", verification)


async def _foreign_topic(stage: Stage, url: str) -> None:
    # Nobody need serve this topic: what is judged is the echo, and SUB-11 holds here, too.
    callback = stage.callback()
    answer = await stage.ask("subscribe", url, callback)
    if 400 <= (answer.status or 0) < 500:
        raise NotApplicable(f"the hub refuses the topic {url}")
    seen = await callback.until(lambda: callback.exchanges or None, stage.options.timeout_s)
    verification = present(seen, "a verification or a denial", answer)[0]
    if verification in callback.denials:
        raise NotApplicable(f"the hub denies the topic {url}")
    equal("hub.topic", verification.parameter("hub.topic"), url, verification)


async def _challenges(stage: Stage) -> list[str]:
    topic = stage.topic()

    async def one() -> Exchange:
        callback = stage.callback()
        callback.on_verification = echo()
        accepted(await stage.ask("subscribe", topic, callback))
        return await stage.verification(callback)

    found = await asyncio.gather(*(one() for _ in range(CHALLENGES)))
    found.sort(key=lambda verification: verification.at_s)
    return [verification.parameter("hub.challenge") or "" for verification in found]


def _is_counted(challenges: list[str]) -> bool:
    """Whether challenges look like a counter or a clock: the same long beginning each time."""
    first, last = min(challenges), max(challenges)
    same = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    varying = len(first) - same
    return varying < SHORTEST_CHALLENGE // 2


def _some(challenges: list[str]) -> str:
    return ", ".join(repr(challenge) for challenge in challenges[:4])
