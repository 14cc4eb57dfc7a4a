"""What a case works with: fresh topics and callbacks, requests, and waiting for what comes."""

import asyncio
import secrets
import ssl
from collections.abc import Iterable
from dataclasses import replace
from types import TracebackType
from typing import Self

from conformance.answer import Responder, held
from conformance.case import Need
from conformance.client import FORM, Fields, form
from conformance.exchange import Exchange, Headers, Way
from conformance.judge import accepted, present, require
from conformance.listener import Listener
from conformance.options import PingForm
from conformance.publisher import Content, Topic
from conformance.site import Site, unhurried
from conformance.subscriber import Callback
from conformance.verdict import Mismatch, NotApplicable
from conformance.world import World

# Subscriptions of ordinary cases end soon after the run, so that a public hub keeps nothing of it.
COURTEOUS_LEASE = "600"
DEFAULT_BODY = b"version 0\n"
FORM_HEADERS: Headers = (("Content-Type", FORM),)


class Stage:
    """The surroundings of one case; as a context manager it takes down what the case set up."""

    def __init__(self, world: World, needs: Iterable[Need]) -> None:
        self.world = world
        self.options = world.options
        self.hub_url = world.client.hub_url
        self.exchanges: list[Exchange] = []
        self.over = asyncio.Event()
        self._needs = frozenset(needs)
        self._sites: list[tuple[Listener, str]] = []
        self._listeners: list[Listener] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.over.set()
        for listener, token in self._sites:
            listener.sites.pop(token, None)
        for listener in self._listeners:
            await listener.close()

    # Setting up.

    def topic(
        self,
        path: str = "/topic",
        content: Content | None = None,
        *,
        links: Headers | None = None,
        listener: Listener | None = None,
    ) -> Topic:
        """Returns a fresh topic; without `links` it advertises the hub and itself by a header."""
        listener = listener or self.world.listener
        prefix = secrets.token_hex(4)
        url = f"{listener.base_url}/{prefix}{path}"
        if links is None:
            links = (("Link", self.link(url)),)
        given = content or Content(body=DEFAULT_BODY)
        topic = Topic(url, self.exchanges, replace(given, headers=links + given.headers))
        self._put(listener, prefix, topic)
        return topic

    def link(self, self_url: str, hub_url: str | None = None) -> str:
        """Returns the value of a Link header that names a hub and a topic."""
        return f'<{hub_url or self.hub_url}>; rel="hub", <{self_url}>; rel="self"'

    def callback(self, path: str = "/callback", listener: Listener | None = None) -> Callback:
        """Returns a fresh callback; the path may hold a query."""
        listener = listener or self.world.listener
        prefix = secrets.token_hex(4)
        callback = Callback(f"{listener.base_url}/{prefix}{path}", self.exchanges)
        self._put(listener, prefix, callback)
        return callback

    async def other_port(
        self, tls: ssl.SSLContext | None = None, host: str | None = None
    ) -> Listener:
        """Returns a listener on another port, an origin of its own; needs Need.PORT."""
        self._check(Need.PORT)
        if self.options.base_url:
            raise NotApplicable("--base-url names one port, and this case needs another one")
        listener = Listener(host or self.world.bind_host, 0, tls=tls)
        await listener.start()
        self._listeners.append(listener)
        return listener

    def until_over(self, then: Responder) -> Responder:
        """Returns a responder that answers only when the case is over."""
        return held(self.over, then)

    @property
    def arrived(self) -> list[Exchange]:
        """Each request so far that the hub has made."""
        return [exchange for exchange in self.exchanges if exchange.way is not Way.TO_HUB]

    # Asking the hub.

    async def send(self, fields: Fields, headers: Headers = FORM_HEADERS) -> Exchange:
        """Returns the hub's answer to a form."""
        return await self.send_body(form(fields), headers)

    async def send_body(self, body: bytes, headers: Headers = FORM_HEADERS) -> Exchange:
        """Returns the hub's answer to a POST of these very bytes."""
        return await self.world.client.send("POST", body, headers, log=self.exchanges)

    async def ask(
        self,
        mode: str,
        topic: Topic | str,
        callback: Callback | str,
        *,
        secret: str | None = None,
        lease: str | None = COURTEOUS_LEASE,
        extra: Fields = (),
        headers: Headers = FORM_HEADERS,
    ) -> Exchange:
        """Returns the hub's answer to a subscribe or unsubscribe request, whatever it is."""
        fields = [("hub.mode", mode), ("hub.topic", _url(topic)), ("hub.callback", _url(callback))]
        if lease == COURTEOUS_LEASE and not self.world.abilities.takes_leases:
            lease = None
        if lease is not None and mode == "subscribe":
            fields.append(("hub.lease_seconds", lease))
        if secret is not None:
            fields.append(("hub.secret", secret))
        return await self.send([*fields, *extra], headers)

    async def subscribe(
        self,
        topic: Topic | str,
        callback: Callback,
        *,
        secret: str | None = None,
        lease: str | None = COURTEOUS_LEASE,
        extra: Fields = (),
    ) -> Exchange:
        """Subscribes, waits until that is confirmed, and returns the verification."""
        before = len(callback.verifications)
        answer = await self.ask(
            "subscribe", topic, callback, secret=secret, lease=lease, extra=extra
        )
        return await self._confirmed(answer, callback, before)

    async def attempt(
        self, mode: str, topic: Topic, callback: Callback, *, secret: str | None = None
    ) -> Exchange:
        """Asks for what the callback will refuse; returns the verification, whatever came of it."""
        before = len(callback.verifications)
        await self.ask(mode, topic, callback, secret=secret)
        verification = await self.verification(callback, before + 1)
        await self.settle()
        return verification

    async def unsubscribe(
        self, topic: Topic, callback: Callback, *, extra: Fields = ()
    ) -> Exchange:
        """Unsubscribes, waits until that is confirmed, and returns the verification."""
        before = len(callback.verifications)
        answer = await self.ask("unsubscribe", topic, callback, extra=extra)
        return await self._confirmed(answer, callback, before)

    async def ping(self, *urls: str) -> Exchange:
        """Tells the hub that topics have changed, in the form that it acts on."""
        self._check(Need.PING)
        chosen = self.world.abilities.ping_form
        if chosen is None:
            raise NotApplicable(self.world.abilities.ping_finding)
        return await self.ping_as(chosen, *urls)

    async def ping_as(self, chosen: PingForm, *urls: str) -> Exchange:
        """Tells the hub that topics have changed, in one form."""
        name = f"hub.{chosen.value}"
        return await self.send([("hub.mode", "publish"), *((name, url) for url in urls)])

    async def publish(self, topic: Topic, body: bytes | None = None) -> bytes:
        """Changes a topic and pings; returns the words that only the new content holds."""
        if body is None:
            marker = topic.change()
        else:
            topic.serve(body)
            marker = body
        await self.ping(topic.url)
        return marker

    # Waiting for what comes.

    async def verification(
        self, callback: Callback, number: int = 1, *, answered: bool = True
    ) -> Exchange:
        """Returns the verification of this number, once it is answered."""

        def look() -> Exchange | None:
            found = callback.verifications[number - 1 : number]
            return found[0] if found and (found[0].answered_at_s or not answered) else None

        found = await callback.until(look, self.options.timeout_s)
        return present(found, f"a verification at the callback within {self._patience}")

    async def delivery(
        self,
        callback: Callback,
        marker: bytes = b"",
        *,
        answered: bool = True,
        answer_takes_s: float = 0,
        after: bytes | None = None,
    ) -> Exchange:
        """Returns the first delivery that holds the marker, by default once it is answered.

        The content before, `after`, does not count: a hub may deliver it as its first.
        """

        def look() -> Exchange | None:
            found = [e for e in callback.holding(marker) if e.body != after][:1]
            return found[0] if found and (found[0].answered_at_s or not answered) else None

        found = await callback.until(look, self.options.timeout_s + answer_takes_s)
        return present(found, f"a delivery to the callback within {self._patience}")

    async def retry(self, callback: Callback, number: int = 2, marker: bytes = b"") -> Exchange:
        """Returns a repeated delivery, where the hub retries in time; needs Need.RETRY."""
        self._check(Need.RETRY)
        window_s = self.options.retry_window_s

        def look() -> Exchange | None:
            found = callback.holding(marker)[number - 1 : number]
            return found[0] if found and found[0].answered_at_s else None

        found = await callback.until(look, window_s)
        if found:
            return found
        if number > 2:  # WebSub 7 leaves to the hub how often it tries.
            raise NotApplicable(f"no further retry within {window_s:g} s")
        if self.options.retry_wait_s is None:
            raise NotApplicable(f"no retry within {window_s:g} s; tell --retry-wait-s how long")
        raise Mismatch(f"a retry of the failed delivery within {window_s:g} s", "none")

    async def grace(self) -> None:
        """Waits for what must not come, after a control has shown that the hub got that far."""
        await unhurried(self.options.grace_s)

    async def settle(self) -> None:
        """Leaves the hub the time to write down what was just confirmed."""
        await unhurried(self.options.settle_s)

    async def left_out(self, topic: Topic, callback: Callback, control: Callback) -> None:
        """Publishes, and fails unless `control` gets it while `callback` gets nothing of it."""
        marker = await self.publish(topic)
        await self.delivery(control, marker)
        await self.grace()
        came = callback.holding(marker)
        require(not came, "no delivery to this callback", f"{len(came)}", *came[:1])

    async def alive(self) -> None:
        """Fails unless the hub accepts and verifies another subscription."""
        await self.subscribe(self.topic(), self.callback())

    # Inner workings.

    async def _confirmed(self, answer: Exchange, callback: Callback, before: int) -> Exchange:
        accepted(answer)
        verification = await self.verification(callback, before + 1)
        await self.settle()
        return verification

    def _check(self, need: Need) -> None:
        if need not in self._needs:
            raise RuntimeError(f"this case does not say that it needs {need.name}")

    def _put(self, listener: Listener, token: str, site: Site) -> None:
        listener.sites[token] = site
        self._sites.append((listener, token))

    @property
    def _patience(self) -> str:
        return f"{self.options.timeout_s:g} s"


def _url(target: Site | str) -> str:
    return target if isinstance(target, str) else target.url
