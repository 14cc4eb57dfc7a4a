"""A token in a cookie: for pages of the hub's own, and for nobody else."""

import aiohttp
import pytest
from aiohttp import CookieJar

from tests.web.events.conftest import StartServed
from tests.web.events.served import Served
from tests.workers.sites import Site

TOKEN = "a-token-of/the-hubs-own=="


def address(served: Served) -> str:
    return f"http://127.0.0.1:{served.webs[0].port}/events/token"


async def put(served: Served, token: str = TOKEN, **headers: str) -> aiohttp.ClientResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession() as session,
        session.post(address(served), data={"token": token}, headers=named) as response,
    ):
        await response.read()
        return response


async def test_it_opens_what_the_header_opens_until_it_is_forgotten(
    start_served: StartServed, site: Site
) -> None:
    served = await start_served(read_tokens=TOKEN)
    topic = await served.follow(site)
    async with aiohttp.ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        async with session.post(address(served), data={"token": f" {TOKEN}\n"}) as response:
            assert response.status == 204
        async with session.get(served.url(topic)) as response:
            assert response.status == 200
            assert "Access-Control-Allow-Origin" not in response.headers
        async with session.delete(address(served)) as response:
            assert response.status == 204
        async with session.get(served.url(topic)) as response:
            assert response.status == 404


@pytest.mark.parametrize("site_of_page", ["cross-site", "same-site"])
async def test_a_page_of_somebody_else_gets_nothing_by_it(
    start_served: StartServed, site: Site, site_of_page: str
) -> None:
    served = await start_served(read_tokens=TOKEN)
    topic = await served.follow(site)
    cookie = {"Cookie": f'websub_hub_token="{TOKEN}"'}
    assert (await served.get(served.url(topic), **cookie, Sec_Fetch_Site="same-origin"))[0] == 200
    assert (await served.get(served.url(topic), **cookie, Sec_Fetch_Site=site_of_page))[0] == 404
    assert (await put(served, Sec_Fetch_Site=site_of_page)).status == 403


async def test_one_that_the_hub_knows_no_more_takes_nothing_away(
    start_served: StartServed, site: Site
) -> None:
    served = await start_served(read_tokens=TOKEN, public_topics="all")
    topic = await served.follow(site)
    status, _ = await served.get(served.url(topic), Cookie="websub_hub_token=revoked-long-since")
    assert status == 200


async def test_only_a_token_of_the_hubs_is_kept(start_served: StartServed) -> None:
    served = await start_served(read_tokens=TOKEN)
    for token, status in (("another-token-of-nobody", 401), ("", 400)):
        response = await put(served, token)
        assert response.status == status
        assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    ("public_url", "path", "is_secure"),
    [
        ("http://hub.example/", "/events", False),
        ("https://hub.example/", "/events", True),
        ("https://example.org/hub", "/hub/events", True),
    ],
)
async def test_it_goes_to_the_hubs_events_alone_and_no_script_reads_it(
    start_served: StartServed, public_url: str, path: str, is_secure: bool
) -> None:
    served = await start_served(read_tokens=TOKEN, public_url=public_url)
    cookie = (await put(served)).headers["Set-Cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict", f"Path={path}"} <= set(cookie)
    assert ("Secure" in cookie) is is_secure
