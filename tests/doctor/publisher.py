"""A publisher on a real server, without a defect until a test gives it one; and its hub."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from hub.doctor.examine import examine
from hub.doctor.finding import Finding, Verdict
from hub.doctor.observation import OurHub
from hub.doctor.observe import observation, observe_page
from hub.doctor.requests import Browser
from hub.web.connection import listening

ENTRY = (
    "<item><title>T{n}</title><guid>https://b.example/{n}</guid>"
    "<pubDate>Sat, 31 Jan 2026 12:00:00 GMT</pubDate></item>"
)
ENTRIES = ENTRY.format(n=1) + ENTRY.format(n=2)
LINKS = '<atom:link rel="hub" href="BASE/hub"/><atom:link rel="self" href="BASE/feed"/>'
RSS = (
    '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" '
    'xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>B</title>LINKSENTRIES</channel></rss>'
)
ATOM_ENTRY = (
    "<entry><id>tag:b,2026:1</id><title>T</title><updated>2026-01-31T12:00:00Z</updated></entry>"
)
ATOM = (
    '<feed xmlns="http://www.w3.org/2005/Atom"><id>i</id><title>B</title>'
    '<link rel="hub" href="BASE/hub"/><link rel="self" href="BASE/feed"/>ENTRIES</feed>'
)
MAX_BYTES = 3_000_000


def rss(entries: str = ENTRIES, links: str = LINKS) -> str:
    return RSS.replace("LINKS", links).replace("ENTRIES", entries)


def atom(entries: str = ATOM_ENTRY) -> str:
    return ATOM.replace("ENTRIES", entries)


@dataclass(slots=True)
class Publisher:
    """What it answers; in bodies and headers BASE is its own URL, COUNT the number of the request.

    Attributes:
        statuses: of the answers in turn, the last one for ever.
        is_conditional: 304 is given to who has the document already.
        redirect: status and target for who asks for /old.
        hub_status: what the hub answers to a POST.
    """

    body: str | bytes = field(default_factory=rss)
    content_type: str | None = "application/rss+xml"
    headers: dict[str, str] = field(default_factory=dict)
    link: tuple[str, ...] = ()
    statuses: tuple[int, ...] = (200,)
    has_etag: bool = True
    is_conditional: bool = True
    is_compressing: bool = True
    redirect: tuple[int, str] = (301, "BASE/feed")
    hub_status: int = 400
    elsewhere: str | None = None
    base: str = ""
    gets: int = 0
    posts: list[str] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application()
        app.on_response_prepare.append(self._drop_content_type)
        app.router.add_get("/feed", self._feed)
        app.router.add_get("/feed/", self._feed)
        app.router.add_get("/old", self._old)
        app.router.add_get("/elsewhere", self._elsewhere)
        app.router.add_post("/hub", self._hub)
        return app

    async def _feed(self, request: web.Request) -> web.Response:
        self.gets += 1
        status = self.statuses[min(self.gets, len(self.statuses)) - 1]
        body = self._filled(self.body)
        headers = {name: self._filled(value).decode() for name, value in self.headers.items()}
        if self.has_etag:
            headers.setdefault("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        if self.is_conditional and request.headers.get("If-None-Match") == headers.get("ETag", ""):
            return web.Response(status=304, headers=headers)
        return self._response(status, body, headers)

    async def _drop_content_type(self, _: web.Request, response: web.StreamResponse) -> None:
        if self.content_type is None:
            # aiohttp adds one of its own.
            del response.headers["Content-Type"]

    def _response(self, status: int, body: bytes, headers: dict[str, str]) -> web.Response:
        response = web.Response(status=status, body=body, headers=headers)
        if self.content_type is not None:
            response.headers["Content-Type"] = self.content_type
        for link in self.link:
            response.headers.add("Link", self._filled(link).decode())
        if self.is_compressing:
            response.enable_compression()
        return response

    def _filled(self, text: str | bytes) -> bytes:
        body = text.encode() if isinstance(text, str) else text
        return body.replace(b"BASE", self.base.encode()).replace(b"COUNT", str(self.gets).encode())

    async def _old(self, _request: web.Request) -> web.Response:
        status, target = self.redirect
        return web.Response(status=status, headers={"Location": self._filled(target).decode()})

    async def _elsewhere(self, _request: web.Request) -> web.Response:
        if self.elsewhere is None:
            return web.Response(status=404)
        return web.Response(body=self._filled(self.elsewhere), content_type="application/rss+xml")

    async def _hub(self, request: web.Request) -> web.Response:
        self.posts.append(await request.text())
        return web.Response(status=self.hub_status)


@asynccontextmanager
async def published(publisher: Publisher) -> AsyncIterator[Publisher]:
    """Opens the publisher on a free port."""
    async with listening(publisher.app(), host="127.0.0.1", port=0) as port:
        publisher.base = f"http://127.0.0.1:{port}"
        yield publisher


async def examined(
    publisher: Publisher, path: str = "/feed", *, our_hub: str | None = None, now_s: float = 1.8e9
) -> tuple[Finding, ...]:
    """Returns what the doctor finds at a path."""
    async with published(publisher), aiohttp.ClientSession() as client:
        browser = Browser(client, max_bytes=MAX_BYTES, redirects_max=5)
        async with asyncio.timeout(20):
            seen = await observe_page(browser, publisher.base + path, pause_s=0)
    ours = our_hub and OurHub(url=publisher._filled(our_hub).decode(), is_asked_for=True)
    whole = observation(seen, None, ours or None, topic_max_bytes=MAX_BYTES, now_s=now_s)
    return examine(whole)


def problems(findings: Sequence[Finding]) -> list[tuple[str, Verdict]]:
    """Returns the checks that are not content, in order."""
    return [
        (finding.check, finding.verdict)
        for finding in findings
        if finding.verdict in {Verdict.ADVICE, Verdict.FAULT}
    ]
