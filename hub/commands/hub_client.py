"""Asking a hub for something, as a subscriber or a publisher does (WebSub 5.1, 6)."""

from collections.abc import Sequence

import aiohttp
from aiohttp import web
from yarl import URL

from hub.commands.reach import shown, unreachable
from hub.errors import HubError
from hub.protocol.urls import url_fault, wire_form

DEFAULT_HUB = "http://localhost:8080/"
_TIMEOUT = aiohttp.ClientTimeout(total=15)
_URL_MAX_BYTES = 65_536
_ANSWER_MAX_BYTES = 2_000


class HubFailed(HubError):
    """A server cannot be reached, or did not take what it was asked for."""


class HubAway(HubFailed):
    """A hub cannot be reached, or cannot take anything at the moment: it may later."""


def session() -> aiohttp.ClientSession:
    """Return a session that never waits long; to be used as a context manager."""
    return aiohttp.ClientSession(timeout=_TIMEOUT)


def address(url: str) -> URL:
    """Return the URL as the client takes it, to be sent byte for byte.

    Raises:
        HubFailed: it is no address on the web.
    """
    fault = url_fault(url, url_max_bytes=_URL_MAX_BYTES)
    if fault:
        raise HubFailed(f"{url} {fault}.")
    return URL(wire_form(url), encoded=True)


async def ask(client: aiohttp.ClientSession, hub: str, fields: Sequence[tuple[str, str]]) -> None:
    """Send the fields to a hub, and return if it takes them.

    Raises:
        HubAway: it cannot be reached, answers 5xx or 429; the text says what.
        HubFailed: it answers anything else but 2xx.
    """
    try:
        async with client.post(address(hub), data=fields, allow_redirects=False) as response:
            status, headers = response.status, response.headers
            text = (await read_start(response, _ANSWER_MAX_BYTES)).decode("utf-8", "replace")
    except (aiohttp.ClientError, TimeoutError) as error:
        raise HubAway(unreachable(f"the hub {hub}", error)) from error
    if status in {web.HTTPTemporaryRedirect.status_code, web.HTTPPermanentRedirect.status_code}:
        # WebSub 5.1.2: "The subscriber is expected to retry the subscription or unsubscription at
        # the new hub URL."
        raise HubFailed(f"The hub has moved: try --hub {headers.get('Location', '(nowhere)')}")
    if not 200 <= status <= 299:
        is_away = status >= 500 or status == web.HTTPTooManyRequests.status_code
        failure = HubAway if is_away else HubFailed
        raise failure(f"The hub {hub} answered {status}: {shown(text) or 'nothing else'}")


async def read_start(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """Return the body of an answer, or its first bytes where it is longer."""
    body = b""
    async for chunk in response.content.iter_chunked(max_bytes):
        body += chunk
        if len(body) >= max_bytes:
            break
    return body[:max_bytes]
