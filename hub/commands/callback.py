"""The callback of a subscriber: confirms what it asked for, takes what arrives (WebSub 5.3, 7)."""

import asyncio
import re
from dataclasses import dataclass

from aiohttp import web

from hub.clock import now_s
from hub.commands.arrival import Arrival
from hub.commands.hub_client import HubFailed
from hub.protocol.requests import Mode

_BODY_MAX_BYTES = 64 * 1024**2
# WebSub 8.2: "Subscribers SHOULD impose restrictions on the hub.challenge parameter such as
# limiting its length and rejecting binary data."
_CHALLENGE = re.compile(r"[+\-./0-9=A-Z_a-z]{1,1000}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """The hub asked for confirmation and got it; `lease_s` is what it granted, if it said so."""

    mode: Mode
    lease_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """The hub refuses the subscription, or has ended it."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The user wants no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The hub accepted a request, and has yet to verify it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTaken:
    """The hub did not accept a request, or could not be asked."""

    error: HubFailed


Event = Confirmed | Denied | Stopped | Taken | NotTaken | Arrival


class Callback:
    """Answers the hub, and queues what it said.

    Attributes:
        events: what happened, in order.
        wanted: what is confirmed when the hub asks.
    """

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.wanted = Mode.SUBSCRIBE

    def app(self, path: str) -> web.Application:
        """Return the application that answers on a path."""
        app = web.Application(client_max_size=_BODY_MAX_BYTES)
        app.router.add_get(path, self._verify, allow_head=False)
        app.router.add_post(path, self._receive)
        return app

    async def _verify(self, request: web.Request) -> web.Response:
        query = request.query
        mode, challenge = query.get("hub.mode", ""), query.get("hub.challenge", "")
        if query.get("hub.topic") != self._topic:
            raise web.HTTPNotFound
        if mode == "denied":
            self.events.put_nowait(Denied(reason=query.get("hub.reason", "")))
            return web.Response()
        if mode != self.wanted or not _CHALLENGE.fullmatch(challenge):
            raise web.HTTPNotFound
        lease = query.get("hub.lease_seconds", "")
        lease_s = int(lease) if re.fullmatch(r"[0-9]{1,15}", lease) else None
        self.events.put_nowait(Confirmed(mode=self.wanted, lease_s=lease_s))
        # WebSub 8.2: a safe media type and nosniff keep a challenge from running as a page.
        return web.Response(
            body=challenge.encode("ascii"),
            content_type="application/octet-stream",
            headers={"X-Content-Type-Options": "nosniff"},
        )

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = tuple((name.lower(), value) for name, value in request.headers.items())
        self.events.put_nowait(Arrival(at_s=now_s(), headers=headers, body=body))
        return web.Response(status=204)
