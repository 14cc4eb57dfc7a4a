"""Finding the hub of a topic, from a real server (WebSub 4)."""

import aiohttp
import pytest
from aiohttp import web

from hub.commands.discovery import Discovered, discover
from hub.commands.hub_client import HubFailed
from hub.web.connection import listening

FEED = (
    b'<feed xmlns="http://www.w3.org/2005/Atom"><id>i</id>'
    b'<link rel="hub" href="http://in.feed/"/><link rel="self" href="/self"/></feed>'
)


async def discovered(
    body: bytes, links: list[str], status: int = 200, content_type: str | None = None
) -> tuple[Discovered, str]:
    async def answer(_request: web.Request) -> web.Response:
        response = web.Response(status=status, body=body, content_type=content_type)
        for link in links:
            response.headers.add("Link", link)
        return response

    app = web.Application()
    app.router.add_get("/feed", answer)
    async with (
        listening(app, host="127.0.0.1", port=0) as port,
        aiohttp.ClientSession() as client,
    ):
        base = f"http://127.0.0.1:{port}"
        return await discover(client, f"{base}/feed"), base


async def test_link_headers_come_first() -> None:
    found, base = await discovered(FEED, ["<http://in.header/>; rel=hub", "</s>; rel=self"])
    assert found == Discovered(hub="http://in.header/", topic=f"{base}/s")


async def test_without_link_headers_the_feed_is_read() -> None:
    found, base = await discovered(FEED, [])
    assert found == Discovered(hub="http://in.feed/", topic=f"{base}/self")


async def test_without_link_headers_a_page_is_read() -> None:
    page = b"<head><link rel=hub href=http://in.page/><link rel=self href=/self></head>"
    found, base = await discovered(page, [], content_type="text/html")
    assert found == Discovered(hub="http://in.page/", topic=f"{base}/self")


async def test_what_link_headers_leave_open_is_looked_for_within() -> None:
    found, base = await discovered(FEED, ["<http://in.header/>; rel=hub"])
    assert found == Discovered(hub="http://in.header/", topic=f"{base}/self")


async def test_a_topic_without_links_is_itself() -> None:
    found, base = await discovered(b"hello", [])
    assert found == Discovered(hub=None, topic=f"{base}/feed")


async def test_a_topic_in_error_is_told() -> None:
    with pytest.raises(HubFailed, match="answered 404"):
        await discovered(b"", [], status=404)
