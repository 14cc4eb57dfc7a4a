"""The doctor's requests: plain, bounded in time and size, redirects followed one by one."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urljoin

import aiohttp

from hub.clock import monotonic_s
from hub.commands.hub_client import HubFailed, address, read_start
from hub.commands.reach import reason
from hub.doctor.observation import Answer, Hop, Reply, Unreached, Visit

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ANSWER_MAX_BYTES = 64 * 1024


class Browser:
    """Asks as the hub would: by its name, with its bounds.

    Args:
        client: its time-out holds for each request.
        max_bytes: of a document, after decompression.
        redirects_max: how many are followed.
    """

    def __init__(
        self, client: aiohttp.ClientSession, *, max_bytes: int, redirects_max: int
    ) -> None:
        self._client = client
        self._max_bytes = max_bytes
        self._redirects_max = redirects_max

    async def visit(self, url: str) -> Visit:
        """Return what stands at a URL, and the redirects on the way."""
        hops: list[Hop] = []
        here = url
        while True:
            end = await self.get(here)
            if isinstance(end, Unreached) or end.status not in _REDIRECTS:
                break
            location = end.header("location")
            target = urljoin(here, location) if location else None
            hops.append(Hop(status=end.status, url=here, target=target))
            if target is None or len(hops) > self._redirects_max:
                break
            here = target
        return Visit(url=url, hops=tuple(hops), end=end)

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Reply:
        """Return the answer to one GET."""
        return await self._ask("GET", url, headers or {}, max_bytes=self._max_bytes)

    async def post_nothing(self, url: str) -> Reply:
        """Return the answer to an empty form, which changes nothing at any hub."""
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self._ask("POST", url, form, max_bytes=_ANSWER_MAX_BYTES)

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str], *, max_bytes: int
    ) -> Reply:
        began_s = monotonic_s()
        try:
            async with self._client.request(
                method, address(url), headers=headers, allow_redirects=False
            ) as response:
                body = await read_start(response, max_bytes + 1)
                pairs = tuple((name.lower(), value) for name, value in response.headers.items())
        except HubFailed as error:
            return Unreached(url=url, reason=str(error).rstrip("."))
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError) as error:
            return Unreached(url=url, reason=reason(error))
        return Answer(
            url=url,
            status=response.status,
            headers=pairs,
            body=body[:max_bytes],
            is_cut=len(body) > max_bytes,
            took_s=monotonic_s() - began_s,
        )
