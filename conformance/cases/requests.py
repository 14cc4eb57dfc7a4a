"""Accepting a subscription request (WebSub 5.1): SUB-01 to SUB-06."""

import re

from conformance.case import Need, case
from conformance.client import FORM
from conformance.judge import equal, present, require, status_is
from conformance.stage import FORM_HEADERS, Stage
from conformance.verdict import Passed, Reported

POSITIVE = re.compile(r"[1-9][0-9]*")
LEASES = {
    "asked": ("a lease of an hour is asked for", "3600"),
    "none": ("no lease is asked for", None),
    "huge": ("a lease of 30,000 years is asked for", "1000000000000"),
    "tiny": ("a lease of one second is asked for", "1"),
}


@case("SUB-01", "A request with only mode, topic and callback is answered 202 and verified")
async def minimal_request(stage: Stage) -> None:
    callback = stage.callback()
    answer = await stage.ask("subscribe", stage.topic(), callback, lease=None)
    status_is(answer, 202, "to a subscription request")
    await stage.verification(callback)


@case("SUB-02.charset", "A form that names its charset is read")
async def form_with_charset(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback()
    headers = (("Content-Type", f"{FORM}; charset=UTF-8"),)
    answer = await stage.ask("subscribe", topic, callback, headers=headers)
    _taken(answer.status or 0, "a form with charset=UTF-8")
    await stage.verification(callback)


@case("SUB-02.utf8", "A topic with a letter beyond ASCII is read as UTF-8")
async def topic_beyond_ascii(stage: Stage) -> Reported | None:
    topic, callback = stage.topic("/%C3%A9"), stage.callback()
    written = topic.url.replace("%C3%A9", "\u00e9")
    answer = await stage.ask("subscribe", written, callback)
    if 400 <= (answer.status or 0) < 500:
        return Reported(finding="refuses a topic with a letter that is not percent-encoded")
    verification = await stage.verification(callback)
    equal("hub.topic", verification.parameter("hub.topic"), written, verification)
    fetched = await topic.until(lambda: topic.fetches or None, 0)
    if fetched:
        require(
            fetched[0].path.endswith("/%C3%A9"), "a fetch of /%C3%A9", fetched[0].path, fetched[0]
        )
    return None


@case("SUB-02.space", "+ and %20 in the callback's own query survive the form")
async def spaces_in_the_callback(stage: Stage) -> None:
    callback = stage.callback("/callback?a=b+c&d=e%20f")
    verification = await stage.subscribe(stage.topic(), callback)
    require(
        verification.query.startswith("a=b+c&d=e%20f&"),
        "a query that begins a=b+c&d=e%20f&",
        verification.query,
        verification,
    )


@case("SUB-03", "A secret is accepted, and deliveries are signed", Need.PING)
async def secret(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback, secret="twenty-random-letter")
    delivery = await stage.delivery(callback, await stage.publish(topic))
    present(delivery.header("X-Hub-Signature"), "an X-Hub-Signature on the delivery", delivery)


@case("SUB-04", "Parameters and headers that the hub does not know are ignored")
async def unknown_parameters(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback()
    answer = await stage.ask(
        "subscribe",
        topic,
        callback,
        extra=[("foo", "bar"), ("hub.foo", "hub.bar")],
        headers=(*FORM_HEADERS, ("X-Unknown", "1")),
    )
    _taken(answer.status or 0, "a request with foo=bar and hub.foo=hub.bar")
    await stage.verification(callback)


@case("SUB-04.push03", "hub.verify and hub.verify_token of PubSubHubbub 0.3 do no harm")
async def parameters_of_push_03(stage: Stage) -> Passed:
    callback = stage.callback()
    answer = await stage.ask(
        "subscribe",
        stage.topic(),
        callback,
        extra=[("hub.verify", "sync"), ("hub.verify", "async"), ("hub.verify_token", "tok")],
    )
    _taken(answer.status or 0, "a request with hub.verify and hub.verify_token")
    verification = await stage.verification(callback)
    token = verification.parameter("hub.verify_token")
    return Passed(note="echoes hub.verify_token" if token == "tok" else "no hub.verify_token")


def _lease_case(name: str, title: str, asked: str | None) -> None:
    @case(f"SUB-05.{name}", f"A request where {title} is accepted")
    async def lease_asked_for(stage: Stage) -> Passed:
        callback = stage.callback()
        answer = await stage.ask("subscribe", stage.topic(), callback, lease=asked)
        _taken(answer.status or 0, f"hub.lease_seconds {asked or 'absent'}")
        verification = await stage.verification(callback)
        granted = verification.parameter("hub.lease_seconds")
        return Passed(note=f"asked {asked or 'for none'}, granted {granted or 'none'}")


for _name, (_title, _asked) in LEASES.items():
    _lease_case(_name, _title, _asked)


def _unsubscribe_lease_case(name: str, value: str) -> None:
    @case(f"SUB-06.{name}", f"hub.lease_seconds={value} on an unsubscribe is ignored", Need.PING)
    async def lease_on_unsubscribe(stage: Stage) -> None:
        topic, callback, control = stage.topic(), stage.callback(), stage.callback()
        await stage.subscribe(topic, control)
        await stage.subscribe(topic, callback)
        await stage.unsubscribe(topic, callback, extra=[("hub.lease_seconds", value)])
        await stage.left_out(topic, callback, control)


_unsubscribe_lease_case("word", "abc")
_unsubscribe_lease_case("number", "86400")


def _taken(status: int, what: str) -> None:
    require(200 <= status < 300, f"{what} accepted", f"status {status}")
