"""A hub of one process: the real endpoint, and verification and delivery without retry."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from hub.protocol.delivery import delivery_headers, link_header, signature_headers
from hub.protocol.lease import LeaseBounds
from hub.protocol.requests import Mode, RequestPolicy, SubscriptionRequest
from hub.protocol.verification import (
    Confirmed,
    Refused,
    denial_url,
    judge_verification,
    verification_url,
)
from hub.store.results import Accepted, NotReady, Ready, TooManyPending
from hub.web.app import create_app
from hub.web.connection import listening
from hub.web.face import Face

POLICY = RequestPolicy(
    lease=LeaseBounds(default_s=500, min_s=1, max_s=1_000),
    signature=None,
    secret_refused=False,
    url_max_bytes=2_048,
)


@dataclass(slots=True)
class SmallHub:
    """Verifies each request, and keeps what came of it."""

    session: aiohttp.ClientSession
    url: str = ""
    is_denying: bool = False
    is_silent: bool = False
    pinged: list[str] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    verified: asyncio.Queue[tuple[SubscriptionRequest, Confirmed | Refused]] = field(
        default_factory=asyncio.Queue
    )
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def accept(self, request: SubscriptionRequest) -> Accepted | TooManyPending:
        if not self.is_silent:
            task = asyncio.create_task(self._verify(request))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        return Accepted(number=1)

    async def ping(self, topics: Sequence[str]) -> None:
        self.pinged.extend(topics)
        self.batches.append(len(topics))

    async def readiness(self) -> Ready | NotReady:
        return Ready()

    async def _verify(self, request: SubscriptionRequest) -> None:
        if self.is_denying:
            await self.get(denial_url(request.callback, request.topic, "not here"))
            return
        status, body = await self.get(
            verification_url(
                request.callback,
                mode=request.mode,
                topic=request.topic,
                challenge="Ch-4_",
                lease_s=request.lease_s,
                verify_token=request.verify_token,
            )
        )
        verdict = judge_verification(status, body, "Ch-4_", json_quotes_allowed=False)
        self.verified.put_nowait((request, verdict))

    async def get(self, url: str) -> tuple[int, bytes]:
        async with self.session.get(URL(url, encoded=True)) as response:
            return response.status, await response.read()

    async def subscription(self, mode: Mode = Mode.SUBSCRIBE) -> SubscriptionRequest:
        """Return the next request that was verified, and confirmed."""
        async with asyncio.timeout(10):
            request, verdict = await self.verified.get()
        assert (request.mode, verdict) == (mode, Confirmed())
        return request

    async def deliver(self, to: SubscriptionRequest, body: bytes, *, secret: bytes) -> int:
        """Return the status that a delivery was answered with."""
        headers = delivery_headers(
            content_type="application/atom+xml",
            link=link_header([self.url], to.topic),
            webhook_id="7-0",
        )
        if secret:
            headers += signature_headers(to.signature, secret, body)
        async with self.session.post(
            URL(to.callback, encoded=True), data=body, headers=headers
        ) as response:
            return response.status


@asynccontextmanager
async def small_hub(port: int = 0) -> AsyncIterator[SmallHub]:
    async with aiohttp.ClientSession() as session:
        hub = SmallHub(session=session)
        app = create_app(hub, POLICY, Face(hub_url="http://h/", request_max_bytes=100_000))
        async with listening(app, host="127.0.0.1", port=port) as port:
            hub.url = f"http://127.0.0.1:{port}/"
            yield hub
