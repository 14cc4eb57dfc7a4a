"""Web sites that do what a test says: topics to be fetched, callbacks to be delivered to.

They speak HTTP/1.1 by hand, so that what the hub sent is kept byte for byte.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from tests.workers.waiting import eventually

End = Literal["answer", "hang", "close", "reset", "cut"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One request as it came, and when (by the loop's clock)."""

    number: int
    method: str
    target: str
    fields: tuple[tuple[str, str], ...]
    body: bytes
    at_s: float

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.fields if key == name.lower()]
        assert len(values) < 2, f"{name} was sent {len(values)} times"
        return values[0] if values else None

    @property
    def query(self) -> dict[str, str]:
        """The last value of each parameter."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to answer, and when or whether at all."""

    status: int = 200
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    delay_s: float = 0
    end: End = "answer"


class Site:
    """A server on a free port; what is asked for is up to the routes."""

    def __init__(self) -> None:
        self.url = ""
        self.routes: dict[str, Callable[[Heard], Reply]] = {}
        self.heard: list[Heard] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def open(self, port: int = 0) -> AsyncIterator["Site"]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", port, backlog=1024)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def topic(self, path: str, body: bytes = b"", content_type: str = "text/plain") -> "Topic":
        topic = Topic(url=self.url + path, body=body, content_type=content_type)
        self.routes[path] = topic.answer
        return topic

    def callback(self, path: str, query: str = "") -> "Callback":
        callback = Callback(url=self.url + path + query)
        self.routes[path] = callback.answer
        return callback

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._one(reader, writer):
                    pass
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answers one request; returns whether the connection goes on."""
        heard = await self._read(reader)
        self.heard.append(heard)
        route = self.routes.get(urlsplit(heard.target).path)
        reply = Reply(status=404) if route is None else route(heard)
        if reply.delay_s:
            await asyncio.sleep(reply.delay_s)
        if reply.end == "hang":
            await asyncio.sleep(3600)
        if reply.end == "close":
            writer.close()
            return False
        if reply.end == "reset":
            return False
        whole = _wire(reply)
        writer.write(whole[:-1] if reply.end == "cut" else whole)
        await writer.drain()
        if reply.end == "cut":
            writer.close()
        return reply.end != "cut"

    async def _read(self, reader: asyncio.StreamReader) -> Heard:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        start, *lines = head[:-4].split("\r\n")
        method, target, _ = start.split(" ")
        fields = tuple(
            (name.lower(), value.strip()) for name, _, value in (li.partition(":") for li in lines)
        )
        length = int(dict(fields).get("content-length", 0))
        return Heard(
            number=len(self.heard),
            method=method,
            target=target,
            fields=fields,
            body=await reader.readexactly(length),
            at_s=asyncio.get_running_loop().time(),
        )


@dataclass(slots=True, kw_only=True)
class Topic:
    """A document that a test changes; None leaves a header out."""

    url: str
    body: bytes
    content_type: str | None
    etag: str | None = None
    last_modified: str | None = None
    fields: tuple[tuple[str, str], ...] = ()
    reply: Reply | None = None
    delay_s: float = 0
    fetches: list[Heard] = field(default_factory=list)

    def answer(self, heard: Heard) -> Reply:
        self.fetches.append(heard)
        if self.reply is not None:
            return self.reply
        named = {
            "Content-Type": self.content_type,
            "ETag": self.etag,
            "Last-Modified": self.last_modified,
        }
        fields = (*((n, v) for n, v in named.items() if v is not None), *self.fields)
        if self._is_known(heard):
            return Reply(status=304, fields=fields)
        return Reply(body=self.body, fields=fields, delay_s=self.delay_s)

    async def wait_for(self, count: int, within_s: float = 5) -> list[Heard]:
        await eventually(lambda: len(self.fetches) >= count, within_s, lambda: self.fetches)
        return self.fetches

    def _is_known(self, heard: Heard) -> bool:
        known = (heard.header("if-none-match"), heard.header("if-modified-since"))
        return (self.etag is not None and known[0] == self.etag) or (
            self.last_modified is not None and known[1] == self.last_modified
        )


@dataclass(slots=True, kw_only=True)
class Callback:
    """A subscriber's end: confirms and takes everything unless told otherwise.

    Attributes:
        verify: replies to the next verifications; all after them are confirmed.
        confirm_after_s: so late are the next ones confirmed.
        replies: to the next deliveries, in their order; then `otherwise`.
    """

    url: str
    verify: deque[Reply] = field(default_factory=deque)
    confirm_after_s: deque[float] = field(default_factory=deque)
    replies: deque[Reply] = field(default_factory=deque)
    otherwise: Reply = Reply()
    verifications: list[Heard] = field(default_factory=list)
    deliveries: list[Heard] = field(default_factory=list)

    def answer(self, heard: Heard) -> Reply:
        if heard.method == "GET":
            self.verifications.append(heard)
            return self.verify.popleft() if self.verify else self._confirmed(heard)
        self.deliveries.append(heard)
        return self.replies.popleft() if self.replies else self.otherwise

    def _confirmed(self, heard: Heard) -> Reply:
        delay_s = self.confirm_after_s.popleft() if self.confirm_after_s else 0
        return Reply(body=heard.query.get("hub.challenge", "").encode(), delay_s=delay_s)

    async def wait_for(self, count: int, within_s: float = 5) -> list[Heard]:
        """Waits for so many deliveries, and returns all."""
        await eventually(lambda: len(self.deliveries) >= count, within_s, lambda: self.deliveries)
        return self.deliveries

    async def wait_for_verifications(self, count: int, within_s: float = 5) -> list[Heard]:
        await eventually(
            lambda: len(self.verifications) >= count, within_s, lambda: self.verifications
        )
        return self.verifications


def _wire(reply: Reply) -> bytes:
    fields = reply.fields
    # RFC 9110 8.6: no Content-Length where there can be no body.
    if reply.status not in {204, 304}:
        fields = (*fields, ("Content-Length", str(len(reply.body))))
    lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in fields)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + reply.body
