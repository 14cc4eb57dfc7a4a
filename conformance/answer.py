"""What our servers answer, and the small coroutines that decide it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from conformance.exchange import Exchange, Headers

# What WebSub 8.2 of 2026 tells subscribers to confirm with.
SAFE = (("Content-Type", "application/octet-stream"), ("X-Content-Type-Options", "nosniff"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer."""

    status: int = 200
    headers: Headers = ()
    body: bytes = b""
    chunked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """An answer whose body comes piece by piece, until the pieces or the connection end."""

    status: int = 200
    headers: Headers = ()
    pieces: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hangup:
    """The connection is closed without an answer."""


Reply = Answer | Stream | Hangup
Responder = Callable[[Exchange], Awaitable[Reply]]


def always(reply: Reply) -> Responder:
    """Returns a responder with one answer for all."""

    async def respond(_exchange: Exchange) -> Reply:
        return reply

    return respond


TAKES_IT = always(Answer(headers=SAFE))


def status(code: int, location: str | None = None) -> Responder:
    """Returns a responder that answers a status with an empty body."""
    headers = (("Location", location),) if location else ()
    return always(Answer(status=code, headers=headers))


def echo(
    shape: Callable[[str], str] = str,
    *,
    code: int = 200,
    headers: Headers = SAFE,
    chunked: bool = False,
) -> Responder:
    """Returns a responder that answers with the challenge, changed by `shape`."""

    async def respond(exchange: Exchange) -> Reply:
        body = shape(exchange.parameter("hub.challenge") or "").encode()
        return Answer(status=code, headers=headers, body=body, chunked=chunked)

    return respond


def held(until: asyncio.Event, then: Responder) -> Responder:
    """Returns a responder that waits for an event before it answers."""

    async def respond(exchange: Exchange) -> Reply:
        await until.wait()
        return await then(exchange)

    return respond


def delayed(delay_s: float, then: Responder) -> Responder:
    """Returns a responder that takes its time."""

    async def respond(exchange: Exchange) -> Reply:
        await asyncio.sleep(delay_s)
        return await then(exchange)

    return respond


def failing_once(marker: bytes, failure: Responder) -> Responder:
    """Returns a responder that fails the first delivery of this content and takes all else."""
    left = [failure]

    async def respond(exchange: Exchange) -> Reply:
        fails = left and marker in exchange.body
        return await (left.pop() if fails else TAKES_IT)(exchange)

    return respond


def in_turn(responders: Sequence[Responder]) -> Responder:
    """Returns a responder that uses one after the other; the last one stays."""
    left = list(responders)

    async def respond(exchange: Exchange) -> Reply:
        chosen = left.pop(0) if len(left) > 1 else left[0]
        return await chosen(exchange)

    return respond
