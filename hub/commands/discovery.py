"""Finding the hub of a topic (WebSub 4)."""

from dataclasses import dataclass

import aiohttp

from hub.commands.hub_client import HubFailed, address, read_start
from hub.commands.reach import unreachable
from hub.feeds.discovery import advertised_links
from hub.feeds.document import read_document

_BODY_MAX_BYTES = 10 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """Where to subscribe (None where the topic names no hub), and to which URL."""

    hub: str | None
    topic: str


async def discover(client: aiohttp.ClientSession, url: str) -> Discovered:
    """Return what a topic says of its hub and its own URL, in Link headers or else within.

    Raises:
        HubFailed: the topic cannot be read.
    """
    try:
        async with client.get(address(url)) as response:
            if not response.ok:
                raise HubFailed(f"The topic {url} answered {response.status}.")
            body = await read_start(response, _BODY_MAX_BYTES)
            content_type = response.headers.get("Content-Type", "")
            link_values = response.headers.getall("Link", [])
            final_url = str(response.url)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise HubFailed(unreachable(f"the topic {url}", error)) from error
    document = read_document(body, content_type)
    found = advertised_links(link_values, document, body, content_type=content_type, url=final_url)
    # WebSub 5.1: hub.topic "MUST be the "self" URL found during the discovery step".
    return Discovered(hub=found.hubs[0] if found.hubs else None, topic=found.self_url or url)
