"""What cannot be shown on a server of one's own: https, a slow answer, a way down to http."""

from dataclasses import replace

import aiohttp

from hub.doctor.checks.links import check_hub_link, same_form
from hub.doctor.checks.way import SLOW_S, check_answer, check_https, check_redirects
from hub.doctor.finding import Verdict
from hub.doctor.observation import Answer, Hop, Observation, Page, Unreached, Visit
from hub.doctor.observe import ask_hub
from hub.doctor.reading import read
from hub.doctor.requests import Browser
from tests.doctor.publisher import Publisher, published, rss

URL = "https://b.example/feed"


def observed(url: str = URL, *, base: str = "https://b.example", took_s: float = 0.1) -> Page:
    body = rss().replace("BASE", base).encode()
    headers = (("content-type", "text/xml"),)
    answer = Answer(url=url, status=200, headers=headers, body=body, is_cut=False, took_s=took_s)
    reading = read(body, "text/xml", (), url)
    return Page(
        answer=answer,
        reading=reading,
        again=answer,
        again_reading=reading,
        conditional=None,
        hubs=(),
        self_visit=None,
    )


def seen(page: Page, *hops: Hop) -> Observation:
    visit = Visit(url=URL, hops=hops, end=page.answer)
    return Observation(
        visit=visit, page=page, trial=None, our_hub=None, topic_max_bytes=10**6, now_s=0
    )


def test_https_is_well_and_http_is_advised_against_but_at_home() -> None:
    def verdict(url: str) -> Verdict:
        (finding,) = check_https(seen(observed(url)))
        return finding.verdict

    assert verdict(URL) is Verdict.OK
    assert verdict("http://b.example/feed") is Verdict.ADVICE
    assert verdict("http://localhost:8000/feed") is Verdict.OK
    assert verdict("http://192.168.1.7/feed") is Verdict.OK


async def test_a_public_topic_cannot_have_us_ask_a_host_of_our_own_network() -> None:
    publisher = Publisher()
    async with published(publisher), aiohttp.ClientSession() as client:
        browser, hub = Browser(client, max_bytes=1000, redirects_max=5), f"{publisher.base}/hub"
        refused = await ask_hub(browser, hub, topic=URL)
        assert publisher.posts == []
        assert isinstance(refused, Unreached)
        assert "your own network" in refused.reason
        assert isinstance(await ask_hub(browser, hub, topic="http://localhost/feed"), Answer)


def test_a_slow_answer_is_told() -> None:
    (finding,) = check_answer(seen(observed(took_s=SLOW_S + 1)))
    assert (finding.verdict, finding.found) == (Verdict.ADVICE, "The answer took 6.0 s.")


def test_a_redirect_from_https_to_http_is_a_fault() -> None:
    page = observed("http://b.example/feed")
    (finding,) = check_redirects(seen(page, Hop(status=301, url=URL, target=page.answer.url)))
    assert finding.verdict is Verdict.FAULT


def test_a_hub_over_http_for_a_topic_over_https_is_advised_against() -> None:
    page = observed()
    assert [one.verdict for one in check_hub_link(seen(page), page)] == [Verdict.OK]
    page = observed(base="http://b.example")
    assert [one.verdict for one in check_hub_link(seen(page), page)] == [Verdict.OK, Verdict.ADVICE]
    at_http = replace(page, answer=replace(page.answer, url="http://b.example/feed"))
    assert [one.verdict for one in check_hub_link(seen(page), at_http)] == [Verdict.OK]


def test_one_place_has_one_form() -> None:
    assert same_form("HTTPS://Hub.Example:443") == same_form("https://hub.example/")
    assert same_form("https://h/%7ea") == same_form("https://h/~a")
    assert same_form("http://h/") != same_form("https://h/")
    assert same_form("http://h/a") != same_form("http://h/a/")
    assert same_form("http://h:99999/") == "http://h/"
