"""Requests to the hub under test."""

import io
import time
from collections.abc import Iterable
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from conformance import __version__
from conformance.exchange import Exchange, Headers, Way
from conformance.verdict import Mismatch

FORM = "application/x-www-form-urlencoded"
ANSWER_MAX_BYTES = 2**16
Fields = Iterable[tuple[str, str]]


class HubClient:
    """Sends requests to one hub, exactly as a case words them, and keeps each exchange."""

    def __init__(self, session: aiohttp.ClientSession, hub_url: str, timeout_s: float) -> None:
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self.hub_url = hub_url

    async def send(
        self,
        method: str,
        body: bytes = b"",
        headers: Headers = (),
        *,
        url: str | None = None,
        log: list[Exchange] | None = None,
    ) -> Exchange:
        """Returns the exchange; raises Mismatch where the hub gives no answer."""
        target = URL(url or self.hub_url, encoded=True)
        exchange = Exchange(
            way=Way.TO_HUB,
            method=method,
            target=target.raw_path_qs,
            headers=(("Host", target.authority), *headers),
            body=body,
            at_s=time.monotonic(),
        )
        if log is not None:
            log.append(exchange)
        try:
            await self._send(exchange, target, headers)
        except (aiohttp.ClientError, OSError) as error:
            came = f"{type(error).__name__}: {error}".rstrip(": ")
            raise Mismatch("an HTTP answer from the hub", came, exchange) from error
        return exchange

    async def _send(self, exchange: Exchange, target: URL, headers: Headers) -> None:
        async with self._session.request(
            exchange.method,
            target,
            data=io.BytesIO(exchange.body) if exchange.body else None,
            headers=headers,
            timeout=self._timeout,
            allow_redirects=False,
        ) as answer:
            exchange.status = answer.status
            exchange.answer_headers = tuple(
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in answer.raw_headers
            )
            exchange.answer_body = await answer.content.read(ANSWER_MAX_BYTES)
        exchange.answered_at_s = time.monotonic()


def form(fields: Fields) -> bytes:
    """Returns fields as a form, in UTF-8."""
    return urlencode(list(fields)).encode()


def session() -> aiohttp.ClientSession:
    """Returns a session for requests to a hub; close it after use."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, force_close=True),
        skip_auto_headers=["Content-Type", "Accept-Encoding"],
        headers={"User-Agent": f"websub-conformance/{__version__}"},
    )
