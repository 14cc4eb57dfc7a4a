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
# WebSub 5.1: a hub takes its requests by POST at its own URL, which is there.
_NO_HUB = frozenset(
    {
        web.HTTPNotFound.status_code,
        web.HTTPMethodNotAllowed.status_code,
        web.HTTPNotImplemented.status_code,
    }
)


class HubFailed(HubError):
    """A server cannot be reached, or did not take what it was asked for."""


class HubAway(HubFailed):
    """A hub cannot take anything at the moment: it may later."""


class HubUnreachable(HubAway):
    """Nothing answered at the URL of a hub."""


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
        HubUnreachable: it gave no answer; the text says why.
        HubAway: it answers 5xx or 429.
        HubFailed: it answers anything else but 2xx.
    """
    try:
        async with client.post(address(hub), data=fields, allow_redirects=False) as response:
            status, headers, phrase = response.status, response.headers, response.reason
            text = (await read_start(response, _ANSWER_MAX_BYTES)).decode("utf-8", "replace")
    except (aiohttp.ClientError, TimeoutError) as error:
        raise HubUnreachable(unreachable(f"the hub {hub}", error)) from error
    if status in {web.HTTPTemporaryRedirect.status_code, web.HTTPPermanentRedirect.status_code}:
        # WebSub 5.1.2: "The subscriber is expected to retry the subscription or unsubscription at
        # the new hub URL."
        raise HubFailed(f"The hub has moved: try --hub {headers.get('Location', '(nowhere)')}")
    if status in _NO_HUB:
        raise HubFailed(f"{hub} is no hub: it answered {status} ({shown(phrase or '')}) to a POST.")
    if not 200 <= status <= 299:
        is_away = status >= 500 or status == web.HTTPTooManyRequests.status_code
        failure = HubAway if is_away else HubFailed
        # Many servers begin their text with the status.
        told = shown(text.removeprefix(f"{status}: ")) or "nothing else"
        raise failure(f"The hub {hub} answered {status}: {told}")


async def read_start(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """Return the body of an answer, or its first bytes where it is longer."""
    body = b""
    async for chunk in response.content.iter_chunked(max_bytes):
        body += chunk
        if len(body) >= max_bytes:
            break
    return body[:max_bytes]
