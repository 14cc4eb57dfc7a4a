"""A real server on a free port, before a store that keeps everything in lists."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp

from hub.errors import HubError
from hub.protocol.requests import SubscriptionRequest
from hub.store.results import Accepted, NotReady, Ready, TooManyPending
from hub.web.face import Face

FACE = Face(hub_url="https://hub.example/?a=<b>&c='d'", request_max_bytes=10_000)


@dataclass(slots=True)
class ListStore:
    """Keeps what it is given, and answers or fails as it is told."""

    accepted: list[SubscriptionRequest] = field(default_factory=list)
    pinged: list[tuple[str, ...]] = field(default_factory=list)
    answer: Accepted | TooManyPending = field(default_factory=lambda: Accepted(number=1))
    is_ready: Ready | NotReady = field(default_factory=Ready)
    failure: HubError | Exception | None = None

    async def accept(self, request: SubscriptionRequest) -> Accepted | TooManyPending:
        self._fail()
        self.accepted.append(request)
        return self.answer

    async def ping(self, topics: Sequence[str]) -> None:
        self._fail()
        self.pinged.append(tuple(topics))

    async def readiness(self) -> Ready | NotReady:
        self._fail()
        return self.is_ready

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer, read to its end."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """A listening hub, for requests through a client and byte by byte."""

    port: int
    session: aiohttp.ClientSession

    async def request(
        self,
        method: str,
        path: str = "/",
        *,
        body: bytes = b"",
        content_type: str | None = "application/x-www-form-urlencoded",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        sent = {} if content_type is None else {"Content-Type": content_type}
        async with self.session.request(
            method,
            f"http://127.0.0.1:{self.port}{path}",
            data=body,
            headers=sent | (headers or {}),
            skip_auto_headers=["Content-Type"],
        ) as response:
            return Answer(
                status=response.status,
                headers=dict(response.headers),
                text=await response.text(),
            )

    async def raw(self, sent: bytes, *, deadline_s: float = 5) -> bytes:
        """Return all that comes back until the hub closes the connection."""
        async with asyncio.timeout(deadline_s):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(sent)
            answer = await reader.read()
            writer.close()
        return answer
