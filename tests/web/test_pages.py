"""The page, health, and what all answers have in common."""

import base64
import hashlib
import re
import shlex

import pytest
from aiohttp.test_utils import make_mocked_request
from structlog.testing import capture_logs

from hub.errors import HubError
from hub.store.results import NotReady, Ready, StoreFull, StoreUnavailable
from hub.web.health import Health
from tests.web.hub_server import Hub, ListStore

PLAIN = "text/plain; charset=utf-8"


async def test_the_page_shows_this_hubs_url_escaped(hub: Hub) -> None:
    answer = await hub.request("GET")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "https://hub.example/?a=&lt;b&gt;&amp;c=&#x27;d&#x27;" in answer.text
    assert "<b>" not in answer.text


async def test_the_page_loads_nothing_and_its_policy_allows_its_style_alone(hub: Hub) -> None:
    answer = await hub.request("GET")
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert not re.search(r"<script|\ssrc=|<link|@import|url\(", answer.text)


async def test_the_lines_to_copy_survive_a_shell(hub: Hub) -> None:
    text = (await hub.request("GET")).text
    for html in re.findall(r"<pre>(curl .*?)</pre>", text, re.DOTALL):
        line = html.replace("&#x27;", "'").replace("&quot;", '"')
        line = line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        words = [word for word in shlex.split(line) if word != "\n"]
        assert words[:3] == ["curl", "-i", "https://hub.example/?a=<b>&c='d'"]


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
