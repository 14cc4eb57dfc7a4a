"""The other ends of the hub in its own tests: topics and callbacks, on a real socket."""

import asyncio
import contextlib
import hashlib
import hmac
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

import aiohttp
from aiohttp import web

from tests.conformance.defective import hub
from tests.conformance.defective.endpoint import Endpoint

_PATIENCE_S = 8.0
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request as it came: target and headers as on the wire, and when its head had come."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    at: float

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def fields(self) -> list[tuple[str, str]]:
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True)

    @property
    def challenge(self) -> str:
        return dict(self.fields).get("hub.challenge", "")

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]


# None: the connection is closed without an answer.
Answering = Callable[[Seen], web.Response | Awaitable[web.Response] | None]


def confirm(seen: Seen) -> web.Response:
    """Answers as a subscriber that meant it, and takes what it is given."""
    return web.Response(body=seen.challenge.encode())


def status(number: int, body: str = "", **headers: str) -> Answering:
    """Answers everything with this status."""
    return lambda _: web.Response(status=number, text=body, headers=headers)


def taking(number: int, body: str = "", **headers: str) -> Answering:
    """Confirms, and answers deliveries with this status."""
    answer = status(number, body, **headers)
    return lambda seen: answer(seen) if seen.method == "POST" else confirm(seen)


def signature(secret: str, body: bytes, method: str = "sha256") -> str:
    """Returns the X-Hub-Signature that a body must have (WebSub 7.1)."""
    return f"{method}=" + hmac.new(secret.encode(), body, getattr(hashlib, method)).hexdigest()


class Ends:
    """A server of topics and callbacks by path, and a client of the hub."""

    def __init__(self, url: str, hub: Endpoint, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._hub = hub
        self.base = ""
        self.seen: list[Seen] = []
        self.answers: dict[str, Answering] = {}
        self._session = session
        self._news = asyncio.Event()

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        raw = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in request.raw_headers)
        seen = Seen(
            method=request.method,
            target=request.raw_path,
            headers=raw,
            at=asyncio.get_running_loop().time(),
            body=await request.read(),
        )
        self.seen.append(seen)
        self._news.set()
        answer = self.answers.get(seen.path, confirm)(seen)
        if answer is None and request.transport is not None:
            request.transport.abort()
        if answer is None or isinstance(answer, web.Response):
            return answer or web.Response()
        return await answer

    def serve(
        self, path: str, body: bytes | str, kind: str | None = "text/plain", **headers: str
    ) -> str:
        """Serves a body at a path from now on; returns the URL."""
        content = body.encode() if isinstance(body, str) else body
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if kind is not None:
            fields["Content-Type"] = kind
        self.answers[path] = lambda _: web.Response(body=content, headers=fields)
        return self.base + path

    async def post(self, fields: list[tuple[str, str]] | bytes, kind: str = _FORM) -> web.Response:
        """Sends a form, or raw bytes, to the hub."""
        data = urlencode(fields).encode() if isinstance(fields, list) else fields
        async with self._session.post(
            self.url, data=io.BytesIO(data), headers={"Content-Type": kind}, allow_redirects=False
        ) as answer:
            return web.Response(
                status=answer.status, body=await answer.read(), headers=answer.headers
            )

    async def page(self) -> str:
        """Returns what the hub shows to a browser."""
        async with self._session.get(self.url) as answer:
            return await answer.text()

    async def ask(self, mode: str, topic: str, callback: str, **more: str) -> int:
        """Returns the status of a request for a subscription or its end."""
        fields = [("hub.mode", mode), ("hub.topic", topic), ("hub.callback", callback)]
        fields += [(f"hub.{name}", value) for name, value in more.items()]
        return (await self.post(fields)).status

    async def settled(self, mode: str, topic: str, callback: str, **more: str) -> Seen:
        """Returns the verification of a request, once its confirmation has been applied."""
        before = len(self.gets(callback))
        assert await self.ask(mode, topic, callback, **more) == 202
        await self.until(lambda: len(self.gets(callback)) > before)
        await self.all_settled()
        return self.gets(callback)[before]

    async def all_settled(self) -> None:
        """Returns when the hub has no request left to verify."""
        async with asyncio.timeout(_PATIENCE_S):
            await self._hub.settle()

    async def delivered(self, topic: str, body: str, *callbacks: str) -> None:
        """Changes a text, pings, and returns when all these callbacks have it."""
        self.serve(topic.removeprefix(self.base), body)
        await self.ping(topic)
        await self.until(lambda: all(body.encode() in self.bodies(c) for c in callbacks))

    async def ping(self, *topics: str) -> None:
        answer = await self.post([("hub.mode", "publish"), *(("hub.url", t) for t in topics)])
        assert (answer.status, answer.body) == (204, b"")

    def gets(self, url: str) -> list[Seen]:
        return self._of(url, "GET")

    def posts(self, url: str) -> list[Seen]:
        return self._of(url, "POST")

    def bodies(self, url: str) -> list[bytes]:
        return [seen.body for seen in self.posts(url)]

    def _of(self, url: str, method: str) -> list[Seen]:
        path = url.removeprefix(self.base).partition("?")[0]
        return [seen for seen in self.seen if (seen.method, seen.path) == (method, path)]

    async def until(self, is_there: Callable[[], object]) -> None:
        """Returns when this holds, looked at after each request; fails after 8 s."""
        async with asyncio.timeout(_PATIENCE_S):
            while not is_there():
                self._news.clear()
                await self._news.wait()


@contextlib.asynccontextmanager
async def hub_and_ends() -> AsyncIterator[Ends]:
    """Runs a hub without defects, and the other ends for it."""
    async with (
        hub.opened("127.0.0.1", 0, frozenset()) as (url, endpoint),
        aiohttp.ClientSession() as session,
    ):
        ends = Ends(url, endpoint, session)
        runner = web.ServerRunner(web.Server(ends.respond), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ends.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield ends
        finally:
            await runner.cleanup()
