"""`websub-hub listen`: subscribe to a topic and print what arrives (WebSub 5, 7)."""

import argparse
import asyncio
import signal
import sys
from dataclasses import dataclass
from typing import assert_never

import aiohttp

from hub.clock import token_hex
from hub.commands.arrival import Arrival, as_json, as_text, signature_verdict, titles
from hub.commands.callback import Callback, Confirmed, Denied, Stopped
from hub.commands.discovery import discover
from hub.commands.hub_client import DEFAULT_HUB, HubFailed, address, ask, session, shown
from hub.commands.waiting import waiting
from hub.errors import HubError
from hub.protocol.requests import Mode
from hub.web.connection import listening

_TOKEN_BYTES = 16
_SECRET_BYTES = 32
_UNSUBSCRIBE_S = 3
_TITLES_S = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("url", metavar="URL", help="the topic")
    parser.add_argument(
        "--hub", help=f"the hub to ask (default: the one the topic names, else {DEFAULT_HUB})"
    )
    parser.add_argument("--secret", help="what deliveries are signed with (default: random)")
    parser.add_argument("--lease", metavar="SECONDS", type=int, help="the lease to ask for")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="the port (default: any that is free)")
    parser.add_argument("--json", action="store_true", help="print one JSON object an arrival")


def run(arguments: argparse.Namespace) -> int:
    """Return 0 once the user has stopped it, 1 after a sentence on what failed."""
    try:
        return asyncio.run(_listen(arguments))
    except (HubError, OSError) as error:
        _say(f"websub-hub: {error}")
        return 1


async def _listen(arguments: argparse.Namespace) -> int:
    async with session() as client:
        hub, topic = await _target(client, arguments.url, arguments.hub)
        callback = Callback(topic)
        path = f"/{token_hex(_TOKEN_BYTES)}"
        app = callback.app(path)
        async with listening(app, host=arguments.host, port=arguments.port) as port:
            secret = arguments.secret
            listener = _Listener(
                client=client,
                hub=hub,
                topic=topic,
                callback=callback,
                callback_url=f"http://{_in_url(arguments.host)}:{port}{path}",
                secret=token_hex(_SECRET_BYTES) if secret is None else secret,
                lease_s=arguments.lease,
                is_json=arguments.json,
            )
            return await listener.run()


async def _target(client: aiohttp.ClientSession, url: str, hub: str | None) -> tuple[str, str]:
    address(url)
    if hub is not None:
        return hub, url
    found = await discover(client, url)
    if found.hub is None:
        _say(f"{url} names no hub, so {DEFAULT_HUB} is asked")
    return found.hub or DEFAULT_HUB, found.topic


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listener:
    client: aiohttp.ClientSession
    hub: str
    topic: str
    callback: Callback
    callback_url: str
    secret: str
    lease_s: int | None
    is_json: bool

    async def run(self) -> int:
        """Return the exit code, once the subscription has ended."""
        await self._ask(Mode.SUBSCRIBE)
        self._stop_on_signals()
        async with waiting(
            sys.stderr,
            f"waiting for {self.hub} to verify the subscription",
            hint=f"No verification yet: can the hub reach {self.callback_url}? "
            "(On one machine it has to run with --dev.)",
        ):
            is_over = await self._next()
        while is_over is None:
            is_over = await self._next()
        return is_over

    async def _ask(self, mode: Mode) -> None:
        self.callback.wanted = mode
        fields = {
            "hub.mode": mode.value,
            "hub.topic": self.topic,
            "hub.callback": self.callback_url,
            "hub.secret": self.secret,
            "hub.lease_seconds": "" if self.lease_s is None else str(self.lease_s),
        }
        await ask(self.client, self.hub, [(name, value) for name, value in fields.items() if value])

    def _stop_on_signals(self) -> None:
        loop = asyncio.get_running_loop()

        def stop(number: signal.Signals) -> None:
            # A second Ctrl-C ends at once.
            loop.remove_signal_handler(number)
            self.callback.events.put_nowait(Stopped())

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop, number)

    async def _next(self) -> int | None:
        """Deal with what happens next, and return an exit code if that was the end."""
        event = await self.callback.events.get()
        match event:
            case Confirmed(lease_s=lease_s):
                _say(f"subscribed to {self.topic} at {self.hub} for {lease_s} s; Ctrl-C to stop")
            case Arrival():
                await self._show(event)
            case Denied(reason=reason):
                _say(f"The hub denied the subscription: {shown(reason) or 'it gave no reason'}")
                return 1
            case Stopped():
                await self._unsubscribe()
                return 0
            case never:
                assert_never(never)
        return None

    async def _unsubscribe(self) -> None:
        try:
            async with asyncio.timeout(_UNSUBSCRIBE_S):
                await self._ask(Mode.UNSUBSCRIBE)
                await self._unsubscribed()
        except (HubFailed, TimeoutError):
            _say("The hub did not confirm the end: the subscription ends with its lease.")
        else:
            _say("unsubscribed")

    async def _unsubscribed(self) -> None:
        while True:
            match await self.callback.events.get():
                case Confirmed(mode=Mode.UNSUBSCRIBE) | Denied():
                    return
                case Arrival() as arrival:
                    await self._show(arrival)
                case _:
                    pass

    async def _show(self, arrival: Arrival) -> None:
        verdict = signature_verdict(arrival, self.secret.encode())
        if self.is_json:
            print(as_json(arrival, verdict), flush=True)
            return
        try:
            async with asyncio.timeout(_TITLES_S):
                entries = await asyncio.to_thread(titles, arrival)
        except TimeoutError:
            entries = ()
        print(as_text(arrival, verdict, entries), flush=True)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
