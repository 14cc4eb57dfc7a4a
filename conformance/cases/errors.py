"""Requests that a hub has to refuse (WebSub 5.1, 5.1.2): SUB-07 to SUB-09."""

import json

from conformance.case import Need, case
from conformance.client import form
from conformance.judge import refused, require
from conformance.signature import is_signed_with
from conformance.stage import Stage
from conformance.subscriber import Callback
from conformance.verdict import Reported

Fields = list[tuple[str, str]]

TOO_LONG = {
    "200": ("of 200 bytes", "s" * 200),
    "201": ("of 201 bytes", "s" * 201),
    "utf8": ("of 100 letters that are 200 bytes", "\u00e9" * 100),
}
# What is changed in a good request; None takes the field away.
FAULTS: dict[str, tuple[str, dict[str, str | None]]] = {
    "no-mode": ("no hub.mode", {"hub.mode": None}),
    "unknown-mode": ("hub.mode=foo", {"hub.mode": "foo"}),
    "no-topic": ("no hub.topic", {"hub.topic": None}),
    "empty-topic": ("an empty hub.topic", {"hub.topic": ""}),
    "no-callback": ("no hub.callback", {"hub.callback": None}),
    "empty-callback": ("an empty hub.callback", {"hub.callback": ""}),
    "callback-no-url": ("a callback that is no URL", {"hub.callback": "not a url"}),
    "callback-ftp": ("a callback of scheme ftp", {"hub.callback": "ftp://x/"}),
    "callback-no-host": ("a callback without a host", {"hub.callback": "http:///callback"}),
    "topic-javascript": ("a topic of scheme javascript", {"hub.topic": "javascript:1"}),
}


@case("SUB-07.199", "A secret of 199 bytes is accepted and used", Need.PING)
async def secret_of_199_bytes(stage: Stage) -> None:
    topic, callback = stage.topic(), stage.callback()
    await stage.subscribe(topic, callback, secret="s" * 199)
    delivery = await stage.delivery(callback, await stage.publish(topic))
    require(
        is_signed_with(delivery, "s" * 199),
        "a signature with the secret of 199 bytes",
        delivery.header("X-Hub-Signature") or "none",
        delivery,
    )


def _secret_case(name: str, title: str, secret: str) -> None:
    @case(f"SUB-07.{name}", f"A secret {title} is refused")
    async def secret_too_long(stage: Stage) -> Reported | None:
        callback = stage.callback()
        answer = await stage.ask("subscribe", stage.topic(), callback, secret=secret)
        found = refused(answer, f"a secret {title}")
        await _nothing_follows(stage, callback)
        return found


for _name, (_title, _secret) in TOO_LONG.items():
    _secret_case(_name, _title, _secret)


def _fault_case(name: str, title: str, changes: dict[str, str | None]) -> None:
    @case(f"SUB-08.{name}", f"A request with {title} is refused")
    async def faulty_request(stage: Stage) -> Reported | None:
        callback = stage.callback()
        answer = await stage.send(_faulty(stage, callback, changes))
        found = refused(answer, f"a request with {title}")
        await _nothing_follows(stage, callback)
        return found


for _name, (_title, _changes) in FAULTS.items():
    _fault_case(_name, _title, _changes)


@case("SUB-08.empty", "An empty request is refused")
async def empty_request(stage: Stage) -> Reported | None:
    found = refused(await stage.send_body(b""), "an empty request")
    await stage.alive()
    return found


@case("SUB-08.json", "A request as JSON is refused")
async def json_request(stage: Stage) -> Reported | None:
    callback = stage.callback()
    body = json.dumps(dict(_good(stage, callback))).encode()
    answer = await stage.send_body(body, (("Content-Type", "application/json"),))
    found = refused(answer, "a request as JSON")
    await _nothing_follows(stage, callback)
    return found


@case("SUB-08.query", "A POST with its parameters in the query only is refused")
async def parameters_in_the_query(stage: Stage) -> Reported | None:
    callback = stage.callback()
    url = _with_query(stage, callback)
    answer = await stage.world.client.send("POST", url=url, log=stage.exchanges)
    found = refused(answer, "a POST with an empty body")
    await _nothing_follows(stage, callback)
    return found


@case("SUB-08.get", "A GET with the parameters of a subscription subscribes nobody")
async def get_request(stage: Stage) -> None:
    callback = stage.callback()
    url = _with_query(stage, callback)
    await stage.world.client.send("GET", url=url, log=stage.exchanges)
    await _nothing_follows(stage, callback)


@case("SUB-09", "Errors are described in plain text")
async def errors_in_plain_text(stage: Stage) -> None:
    callback, errors = stage.callback(), 0
    for name in ("no-mode", "unknown-mode", "no-topic", "callback-ftp"):
        title, changes = FAULTS[name]
        answer = await stage.send(_faulty(stage, callback, changes))
        if not 400 <= (answer.status or 0) < 600:
            continue  # SUB-08 judges that
        errors += 1
        kind = (answer.answer_header("Content-Type") or "none").partition(";")[0].strip().lower()
        require(
            kind == "text/plain" and answer.answer_body.strip(),
            f"a text/plain sentence that describes {title}",
            f"{kind} of {len(answer.answer_body)} bytes",
            answer,
        )
    require(errors, "an error to look at", "none")


def _good(stage: Stage, callback: Callback) -> Fields:
    return [
        ("hub.mode", "subscribe"),
        ("hub.topic", stage.topic().url),
        ("hub.callback", callback.url),
    ]


def _faulty(stage: Stage, callback: Callback, changes: dict[str, str | None]) -> Fields:
    changed = [(name, changes.get(name, value)) for name, value in _good(stage, callback)]
    return [(name, value) for name, value in changed if value is not None]


def _with_query(stage: Stage, callback: Callback) -> str:
    joint = "&" if "?" in stage.hub_url else "?"
    return f"{stage.hub_url}{joint}{form(_good(stage, callback)).decode()}"


async def _nothing_follows(stage: Stage, callback: Callback) -> None:
    """Fails where the refused request leads to anything; a good one is the control."""
    await stage.alive()
    await stage.grace()
    came = callback.exchanges
    require(not came, "nothing at the callback of a refused request", f"{len(came)}", *came[:1])
