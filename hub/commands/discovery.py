"""Finding the hub of a topic (WebSub 4)."""

from dataclasses import dataclass

import aiohttp

from hub.commands.hub_client import HubFailed, address, read_start, unreachable
from hub.feeds.document import read_document
from hub.feeds.records import Feed
from hub.protocol.links import Links, gather_links, read_links

_BODY_MAX_BYTES = 10 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """Where to subscribe (None where the topic names no hub), and to which URL."""

    hub: str | None
    topic: str


async def discover(client: aiohttp.ClientSession, url: str) -> Discovered:
    """Return what a topic says of its hub and its own URL, in Link headers or else as a feed.

    Raises:
        HubFailed: the topic cannot be read.
    """
    try:
        async with client.get(address(url)) as response:
            if not response.ok:
                raise HubFailed(f"The topic {url} answered {response.status}.")
            body = await read_start(response, _BODY_MAX_BYTES)
            content_type = response.headers.get("Content-Type", "")
            links = read_links(response.headers.getall("Link", []), str(response.url))
            base = str(response.url)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise HubFailed(unreachable(f"the topic {url}", error)) from error
    # WebSub 4: the links in the document count only in the absence of Link headers.
    found = links if links.hubs else _links_of_feed(body, content_type, base)
    # WebSub 5.1: hub.topic "MUST be the "self" URL found during the discovery step".
    return Discovered(hub=found.hubs[0] if found.hubs else None, topic=found.self_url or url)


def _links_of_feed(body: bytes, content_type: str, base: str) -> Links:
    match read_document(body, content_type):
        case Feed(hub_links=hubs, self_link=self_link):
            related = [("hub", hub) for hub in hubs]
            related += [("self", self_link)] if self_link else []
            return gather_links(related, base)
        case _:
            return Links(hubs=(), self_url=None)
