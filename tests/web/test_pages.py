"""The page, health, and what all answers have in common."""

import base64
import hashlib
import re
import shlex
from dataclasses import replace
from html import unescape

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request
from structlog.testing import capture_logs

from hub.errors import HubError
from hub.store.results import NotReady, Ready, StoreFull, StoreUnavailable
from hub.web.app import create_app
from hub.web.connection import listening
from hub.web.health import Health
from tests.protocol.policy import POLICY
from tests.web.hub_server import FACE, Hub, ListStore

PLAIN = "text/plain; charset=utf-8"


async def test_the_page_shows_this_hubs_url_escaped(hub: Hub) -> None:
    answer = await hub.request("GET")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "https://hub.example/?a=&lt;b&gt;&amp;c=&#x27;d&#x27;" in answer.text
    assert "<b>" not in answer.text


async def test_the_page_loads_nothing_and_runs_nothing_but_its_own(hub: Hub) -> None:
    answer = await hub.request("GET")
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";")
    )
    for name in ("style", "script"):
        text = re.search(rf"<{name}>(.*?)</{name}>", answer.text, re.DOTALL)
        assert text is not None
        digest = base64.b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert policy[f"{name}-src"] == f"'sha256-{digest}'"
    assert (policy["default-src"], policy["connect-src"]) == ("'none'", "'self'")
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r"\ssrc=|@import|url\(|\son[a-z]+=|\sstyle=", answer.text)
    assert set(re.findall(r'href="([^#"][^:]*):', answer.text)) == {"data", "https"}


async def test_the_script_makes_no_html_of_what_it_is_told(hub: Hub) -> None:
    text = (await hub.request("GET")).text
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|DOMParser", text
    )


async def test_the_lines_to_copy_survive_a_shell(hub: Hub) -> None:
    text = (await hub.request("GET")).text
    hub_url = "https://hub.example/?a=<b>&c='d'"
    addresses = set()
    for html in re.findall(r"<pre>(curl .*?)</pre>", text, re.DOTALL):
        words = [word for word in shlex.split(unescape(html)) if word != "\n"]
        assert words[0] == "curl"
        addresses.add(words[2])
        assert not any("example.org" in word for word in words[:3])
    assert addresses == {hub_url, f"{hub_url}/events"}


async def test_the_page_tells_of_publishing_content_where_that_is_open(store: ListStore) -> None:
    pages = {}
    for takes_content in (False, True):
        face = replace(FACE, hub_url="https://hub.example/", takes_content=takes_content)
        async with (
            listening(create_app(store, POLICY, face), host="127.0.0.1", port=0) as port,
            aiohttp.ClientSession() as session,
        ):
            pages[takes_content] = (await Hub(port=port, session=session).request("GET")).text
    assert "https://hub.example/t/front-door" in pages[True]
    assert "/t/front-door" not in pages[False]


async def test_head_of_the_page_has_its_headers_and_no_body(hub: Hub) -> None:
    answer = await hub.request("HEAD")
    assert (answer.status, answer.text) == (200, "")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


async def test_the_process_lives_even_without_a_store(hub: Hub, store: ListStore) -> None:
    store.failure = StoreUnavailable("away")
    assert (await hub.request("GET", "/livez")).status == 200
    assert (await hub.request("GET", "/readyz")).status == 503


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (StoreUnavailable("/run/hub.sock is away"), "Redis does not answer.\n"),
        (StoreFull("123 bytes free"), "There is no room for anything new.\n"),
        (None, "No worker is alive.\n"),
    ],
    ids=["away", "full", "no worker"],
)
async def test_strangers_get_one_sentence_and_the_log_the_particulars_once(
    store: ListStore, failure: HubError | None, sentence: str
) -> None:
    health, request = Health(store, news_after_s=0), make_mocked_request("GET", "/readyz")
    store.failure, store.is_ready = failure, NotReady(reason="start one")
    with capture_logs() as logs:
        for _ in range(3):
            answer = await health.ready(request)
            assert (answer.status, answer.text) == (503, sentence)
        store.failure, store.is_ready = None, Ready()
        assert (await health.ready(request)).status == 200
    told, ready = logs
    assert (told["event"], told["reason"]) == ("not ready", str(failure or "start one"))
    assert ready["event"] == "ready"


async def test_what_passes_at_once_is_no_news(hub: Hub, store: ListStore) -> None:
    with capture_logs() as logs:
        for answer in (NotReady(reason="start one"), NotReady(reason="start one"), Ready()):
            store.is_ready = answer
            await hub.request("GET", "/readyz")
    assert logs == []


async def test_readiness_follows_the_store(hub: Hub, store: ListStore) -> None:
    assert (await hub.request("GET", "/readyz")).status == 200
    store.is_ready = NotReady(reason="No worker is alive: start one.")
    answer = await hub.request("GET", "/readyz")
    assert (answer.status, answer.text) == (503, "No worker is alive.\n")


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/", "PUT", {"GET", "HEAD", "POST"}),
        ("/", "DELETE", {"GET", "HEAD", "POST"}),
        ("/", "OPTIONS", {"GET", "HEAD", "POST"}),
        ("/livez", "POST", {"GET", "HEAD"}),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(
    hub: Hub, path: str, method: str, allowed: set[str]
) -> None:
    answer = await hub.request(method, path)
    assert (answer.status, answer.headers["Content-Type"]) == (405, PLAIN)
    assert set(answer.headers["Allow"].split(",")) == allowed


async def test_there_is_nothing_elsewhere(hub: Hub) -> None:
    answer = await hub.request("POST", "/hub")
    assert (answer.status, answer.headers["Content-Type"]) == (404, PLAIN)


@pytest.mark.parametrize("path", ["/", "/livez", "/nowhere"])
async def test_what_is_expected_in_vain_is_refused_in_our_words(hub: Hub, path: str) -> None:
    answer = await hub.request("POST", path, headers={"Expect": "foo"})
    assert (answer.status, answer.headers["Content-Type"]) == (417, PLAIN)
    assert answer.text == "Of what may be expected, this hub knows 100-continue alone.\n"


@pytest.mark.parametrize("path", ["/", "/livez", "/nowhere"])
async def test_no_answer_names_versions_or_may_be_guessed_at(hub: Hub, path: str) -> None:
    answer = await hub.request("GET", path)
    assert answer.headers["Server"] == "websub-hub"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
