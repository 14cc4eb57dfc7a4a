"""What counts as a confirmation (WebSub 5.3.1, 8.2): VER-10 to VER-14."""

import asyncio
from collections.abc import Callable

from conformance.answer import SAFE, Answer, Hangup, Responder, always, echo, in_turn
from conformance.case import Need, case
from conformance.exchange import Exchange, Headers
from conformance.judge import accepted, equal, require
from conformance.stage import Stage
from conformance.verdict import NotApplicable, Passed, Reported


def _swapped(challenge: str) -> str:
    swapped = challenge.swapcase()
    return swapped if swapped != challenge else f"{challenge}x"


REDIRECTS = (301, 302, 303, 307, 308)
FAILURES = (400, 403, 404, 410, 500, 503)
WRONG: dict[str, tuple[str, Callable[[str], str]]] = {
    "empty": ("nothing", lambda _: ""),
    "wrong": ("another word", lambda _: "wrong"),
    "longer": ("the challenge and one letter more", lambda c: c + "x"),
    "shorter": ("the challenge but its last letter", lambda c: c[:-1]),
    "quoted": ("the challenge in quotes", lambda c: f'"{c}"'),
    "page": ("a page that holds the challenge", lambda c: f"<html><body>{c}</body></html>"),
    "case": ("the challenge in the other case", _swapped),
}
# The first is what WebSub 8.2 of 2026 tells subscribers to send.
TYPES: dict[str, tuple[str, Headers]] = {
    "octet-stream": ("application/octet-stream", SAFE),
    "text": ("text/plain", (("Content-Type", "text/plain"),)),
    "html": ("text/html", (("Content-Type", "text/html"),)),
    "no-type": ("no Content-Type", ()),
}
SPACES: dict[str, tuple[str, Callable[[str], str]]] = {
    "newline": ("a newline after it", lambda c: c + "\n"),
    "space": ("a space before it", lambda c: " " + c),
}


def _failure_case(code: int) -> None:
    @case(f"VER-10.{code}", f"{code} means not confirmed", Need.PING)
    async def confirmed_with_a_failure(stage: Stage) -> None:
        # The body is right, so that a hub which looks at it alone is found out.
        await _stays_out(stage, echo(code=code))


def _redirect_case(code: int) -> None:
    @case(f"VER-10.{code}", f"{code} means not confirmed, and is not followed", Need.PING)
    async def redirected(stage: Stage) -> None:
        elsewhere = stage.callback("/elsewhere?hub.challenge=none")

        async def redirect(exchange: Exchange) -> Answer:
            location = f"{elsewhere.url.partition('?')[0]}?{exchange.query}"
            body = (exchange.parameter("hub.challenge") or "").encode()
            return Answer(status=code, headers=(("Location", location),), body=body)

        await _stays_out(stage, redirect)
        came = elsewhere.exchanges
        require(not came, "no request to the place redirected to", f"{len(came)}", *came[:1])


for _code in REDIRECTS:
    _redirect_case(_code)
for _code in FAILURES:
    _failure_case(_code)


@case("VER-10.close", "A connection closed without an answer means not confirmed", Need.PING)
async def connection_closed(stage: Stage) -> None:
    await _stays_out(stage, always(Hangup()))


@case("VER-10.no-answer", "No answer means not confirmed", Need.PING)
async def no_answer(stage: Stage) -> None:
    await _stays_out(stage, stage.until_over(always(Hangup())), answered=False)


def _wrong_case(name: str, title: str, shape: Callable[[str], str]) -> None:
    @case(f"VER-11.{name}", f"200 with {title} means not confirmed", Need.PING)
    async def wrong_body(stage: Stage) -> None:
        await _stays_out(stage, echo(shape))


for _name, (_title, _shape) in WRONG.items():
    _wrong_case(_name, _title, _shape)


def _right_case(name: str, title: str, confirmation: Responder) -> None:
    @case(f"VER-12.{name}", f"The challenge with {title} confirms", Need.PING)
    async def right_body(stage: Stage) -> None:
        topic, callback = stage.topic(), stage.callback()
        callback.on_verification = confirmation
        await stage.subscribe(topic, callback)
        await stage.delivery(callback, await stage.publish(topic))


for _code in (201, 202, 299):
    _right_case(str(_code), f"status {_code}", echo(code=_code))
for _name, (_title, _headers) in TYPES.items():
    _right_case(_name, _title, echo(headers=_headers))
_right_case("chunked", "a chunked body", echo(chunked=True))


def _space_case(name: str, title: str, shape: Callable[[str], str]) -> None:
    @case(f"VER-13.{name}", f"Whether the challenge with {title} confirms", Need.PING)
    async def white_space(stage: Stage) -> Passed | Reported:
        topic, callback, control = stage.topic(), stage.callback(), stage.callback()
        await stage.subscribe(topic, control)
        callback.on_verification = echo(shape)
        await stage.attempt("subscribe", topic, callback)
        marker = await stage.publish(topic)
        await stage.delivery(control, marker)
        await stage.grace()
        if callback.holding(marker):
            return Reported(finding=f"takes the challenge with {title}")
        return Passed(note="strict")


for _name, (_title, _shape) in SPACES.items():
    _space_case(_name, _title, _shape)


@case("VER-14", "A challenge is used once", Need.PING)
async def challenge_is_used_once(stage: Stage) -> None:
    topic, callback, control = stage.topic(), stage.callback(), stage.callback()
    await stage.subscribe(topic, control)
    first: list[str] = []

    async def keep(exchange: Exchange) -> Answer:
        first.append(exchange.parameter("hub.challenge") or "")
        return Answer(status=500)

    async def replay(_exchange: Exchange) -> Answer:
        return Answer(body=first[0].encode())

    callback.on_verification = in_turn([keep, replay])
    await stage.attempt("subscribe", topic, callback)
    await stage.attempt("subscribe", topic, callback)
    challenges = [
        verification.parameter("hub.challenge") for verification in callback.verifications
    ]
    equal("different challenges:", len(set(challenges)), len(challenges), *callback.verifications)
    await stage.left_out(topic, callback, control)


@case("VER-14.retry", "A verification tried again has another challenge", Need.PORT)
async def challenge_of_a_retry(stage: Stage) -> None:
    callback = stage.callback(listener=await stage.other_port())
    callback.on_verification = in_turn([always(Hangup()), echo()])
    accepted(await stage.ask("subscribe", stage.topic(), callback))
    await stage.verification(callback)
    again = await callback.until(
        lambda: callback.verifications[1:] or None, stage.options.retry_window_s
    )
    if not again:
        raise NotApplicable("a verification that found no answer is not tried again")
    challenges = [verification.parameter("hub.challenge") for verification in again]
    first = callback.verifications[0]
    require(
        first.parameter("hub.challenge") not in challenges, "another challenge", "the same", first
    )


async def _stays_out(stage: Stage, refusal: Responder, *, answered: bool = True) -> None:
    """Subscribes with an answer that confirms nothing, and fails where a delivery comes."""
    topic, callback, control = stage.topic(), stage.callback(), stage.callback()
    await stage.subscribe(topic, control)
    callback.on_verification = refusal
    # A hub that answers only after the verification fails by SUB-11, and not by this.
    asking = asyncio.create_task(stage.ask("subscribe", topic, callback))
    await stage.verification(callback, answered=answered)
    asking.add_done_callback(lambda done: done.cancelled() or done.exception())
    await stage.settle()
    await stage.left_out(topic, callback, control)
