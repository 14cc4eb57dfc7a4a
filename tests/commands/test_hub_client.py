"""What an answer of a hub means to who asked."""

import pytest
from aiohttp import web

from hub.commands.hub_client import HubAway, HubFailed, ask, session
from hub.web.connection import listening


async def failure(
    status: int, headers: dict[str, str] | None = None, *, text: str = "Not now."
) -> HubFailed | None:
    """Returns what a hub's answer is made of; None where it took the request."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text, headers=headers)

    app = web.Application()
    app.router.add_post("/", answer)
    async with listening(app, host="127.0.0.1", port=0) as port, session() as client:
        try:
            await ask(client, f"http://127.0.0.1:{port}/", [("hub.mode", "publish")])
        except HubFailed as error:
            return error
    return None


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_hub_in_trouble_may_be_asked_again(status: int) -> None:
    error = await failure(status)
    assert isinstance(error, HubAway)
    assert str(error).endswith(f"answered {status}: Not now.")


@pytest.mark.parametrize("status", [302, 400, 403])
async def test_a_hub_that_refuses_would_do_so_again(status: int) -> None:
    error = await failure(status)
    assert error is not None
    assert not isinstance(error, HubAway)


@pytest.mark.parametrize(
    ("status", "phrase"),
    [(404, "Not Found"), (405, "Method Not Allowed"), (501, "Not Implemented")],
)
async def test_what_takes_no_post_is_no_hub(status: int, phrase: str) -> None:
    error = await failure(status, text=f"{status}: {phrase}")
    assert error is not None
    assert not isinstance(error, HubAway)
    assert str(error).endswith(f" is no hub: it answered {status} ({phrase}) to a POST.")


async def test_a_text_that_begins_with_the_status_says_it_once() -> None:
    error = await failure(403, text="403: Forbidden")
    assert str(error).endswith(" answered 403: Forbidden")


async def test_a_hub_that_has_moved_is_told_with_its_new_url() -> None:
    error = await failure(308, {"Location": "http://new.example/"})
    assert "try --hub http://new.example/" in str(error)


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_any_success_is_one(status: int) -> None:
    assert await failure(status) is None
