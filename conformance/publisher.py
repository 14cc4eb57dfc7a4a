"""The publisher's side: topics whose content changes when a case says so."""

import hashlib
from dataclasses import dataclass, replace

from conformance.answer import Answer, Reply, Responder
from conformance.exchange import Exchange, Headers, Way
from conformance.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a topic serves: a body, its Content-Type (None: no such header), and other headers."""

    body: bytes
    content_type: str | None = "text/plain; charset=utf-8"
    headers: Headers = ()
    chunked: bool = False

    def answer(self) -> Answer:
        """Returns the content as an answer."""
        named = (("Content-Type", self.content_type),) if self.content_type is not None else ()
        return Answer(headers=named + self.headers, body=self.body, chunked=self.chunked)


class Topic(Site):
    """A topic on our server; `on_fetch` replaces the ordinary answer."""

    way = Way.TO_TOPIC

    def __init__(self, url: str, log: list[Exchange], content: Content) -> None:
        super().__init__(url, log)
        self.content = content
        self.on_fetch: Responder | None = None
        self._token = hashlib.sha256(url.encode()).hexdigest()[:8]
        self._versions = 0

    async def reply(self, exchange: Exchange) -> Reply:
        """Returns the present content."""
        return await self.on_fetch(exchange) if self.on_fetch else self.content.answer()

    @property
    def fetches(self) -> list[Exchange]:
        """Each GET of the topic so far."""
        return [exchange for exchange in self.exchanges if exchange.method == "GET"]

    def change(self) -> bytes:
        """Serves a new text from now on, and returns the words that only this text holds."""
        self._versions += 1
        marker = f"version {self._versions} of {self._token}".encode()
        self.serve(marker + b"\nThe second line, caf\xc3\xa9.\n")
        return marker

    def serve(self, body: bytes) -> None:
        """Serves a body from now on, with the headers as they are."""
        self.content = replace(self.content, body=body)
