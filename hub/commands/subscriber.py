"""One subscription from the subscriber's side: a callback that listens, and a hub to ask."""

import argparse
import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from hub.clock import token_hex
from hub.commands.arrival import Arrival
from hub.commands.callback import Callback, Confirmed, Denied
from hub.commands.hub_client import HubFailed, ask
from hub.errors import HubError
from hub.protocol.requests import Mode
from hub.web.connection import listening

_TOKEN_BYTES = 16
_SECRET_BYTES = 32
_UNSUBSCRIBE_S = 3
_PORT_MAX = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a callback listens, and by which URL a hub reaches it (None: made of the two)."""

    host: str
    port: int
    url: str | None


def add_place_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options that say where the callback listens."""
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default %(default)s)")
    parser.add_argument(
        "--port", type=_port, default=0, help="the port (default: any that is free)"
    )
    parser.add_argument(
        "--callback-url",
        metavar="URL",
        help="how the hub reaches this callback (default: made of host and port)",
    )


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= _PORT_MAX:
        raise argparse.ArgumentTypeError(f"{text} is no port: these go from 1 to {_PORT_MAX}")
    return port


def place_of(arguments: argparse.Namespace) -> Place:
    """Return the place that the options name."""
    return Place(host=arguments.host, port=arguments.port, url=arguments.callback_url)


class PlaceTaken(HubError):
    """A callback cannot listen where it was told to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """How a subscription was left: whether the hub confirmed it, and what arrived meanwhile."""

    is_confirmed: bool
    late: tuple[Arrival, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A subscription to ask a hub for, or to end."""

    client: aiohttp.ClientSession
    hub: str
    topic: str
    callback: Callback
    callback_url: str
    secret: str
    lease_s: int | None

    async def ask(self, mode: Mode) -> None:
        """Ask the hub to begin, renew or end the subscription (WebSub 5.1).

        Raises:
            HubFailed: it did not accept that.
        """
        self.callback.wanted = mode
        fields = {
            "hub.mode": mode.value,
            "hub.topic": self.topic,
            "hub.callback": self.callback_url,
            "hub.secret": self.secret,
            "hub.lease_seconds": "" if self.lease_s is None else str(self.lease_s),
        }
        await ask(self.client, self.hub, [(name, value) for name, value in fields.items() if value])

    async def unsubscribe(self) -> Left:
        """Return whether the hub has confirmed the end within a few seconds."""
        late: list[Arrival] = []
        try:
            async with asyncio.timeout(_UNSUBSCRIBE_S):
                await self.ask(Mode.UNSUBSCRIBE)
                await self._unsubscribed(late)
        except (HubFailed, TimeoutError):
            return Left(is_confirmed=False, late=tuple(late))
        return Left(is_confirmed=True, late=tuple(late))

    async def _unsubscribed(self, late: list[Arrival]) -> None:
        while True:
            match await self.callback.events.get():
                case Confirmed(mode=Mode.UNSUBSCRIBE) | Denied():
                    return
                case Arrival() as arrival:
                    late.append(arrival)
                case _:
                    pass


@asynccontextmanager
async def subscriber(
    client: aiohttp.ClientSession,
    *,
    hub: str,
    topic: str,
    place: Place,
    secret: str | None,
    lease_s: int | None,
) -> AsyncIterator[Subscriber]:
    """Yield a subscriber whose callback listens; it has asked for nothing yet.

    Raises:
        PlaceTaken: the place cannot be listened on.
    """
    callback = Callback(topic)
    path = f"/{token_hex(_TOKEN_BYTES)}"
    async with _listening(callback.app(path), place) as port:
        base = place.url or f"http://{_in_url(place.host)}:{port}"
        yield Subscriber(
            client=client,
            hub=hub,
            topic=topic,
            callback=callback,
            callback_url=base.rstrip("/") + path,
            secret=token_hex(_SECRET_BYTES) if secret is None else secret,
            lease_s=lease_s,
        )


@asynccontextmanager
async def _listening(app: web.Application, place: Place) -> AsyncIterator[int]:
    async with AsyncExitStack() as stack:
        try:
            port = await stack.enter_async_context(listening(app, host=place.host, port=place.port))
        except OSError as error:
            raise PlaceTaken(_why_not(place, error)) from error
        yield port


def _why_not(place: Place, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {place.port} is in use: choose another with --port."
    why = error.strerror or str(error)
    return f"Cannot listen on {place.host} port {place.port}: {why}."


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
