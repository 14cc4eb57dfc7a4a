"""The start page in a real browser: it follows a topic, resumes, and believes nobody."""

import json
import os
import signal
from html import escape

import pytest

from tests.browser.chromium import Page
from tests.browser.conftest import READ_TOKEN, LiveHub
from tests.workers.feeds import ATOM, atom
from tests.workers.sites import Site, Topic

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

TITLES = "Array.from(document.querySelectorAll('#events h3'), (h) => h.textContent)"
IS_LIVE = "document.getElementById('state').textContent.startsWith('Live')"


def topic_of(site: Site, hub: LiveHub, *entries: str) -> Topic:
    """Returns a feed that names the hub, and has had nothing but these entries."""
    head = f'<link rel="hub" href="{hub.url}"/>'
    return site.topic("/feed", atom(*entries, head=head), content_type=ATOM)


async def publish(topic: Topic, hub: LiveHub, *entries: str) -> None:
    topic.body = atom(*entries, head=f'<link rel="hub" href="{hub.url}"/>')
    await hub.until_accepted(mode="publish", url=topic.url)


async def follow(page: Page, hub: LiveHub, topic: Topic) -> None:
    """Has the page follow what names the hub, and the hub has not heard of yet."""
    await page.open(hub.url)
    await page.fill("topic", topic.url)
    await page.until(IS_LIVE)


async def follow_with_token(page: Page, hub: LiveHub, topic: Topic) -> None:
    """The same for what does not name the hub."""
    await page.open(hub.url)
    await page.fill("topic", topic.url)
    await page.until("document.getElementById('access').open")
    await page.fill("token-field", READ_TOKEN)
    await page.until(IS_LIVE)


async def test_a_followed_topic_shows_what_a_ping_brings(
    page: Page, hub: LiveHub, site: Site
) -> None:
    topic = topic_of(site, hub, "zero")
    await follow(page, hub, topic)
    topic.body = atom("one=Hello, all", "zero", head=f'<link rel="hub" href="{hub.url}"/>')
    await page.fill("pinged", topic.url)
    await page.until(f"{TITLES}.length === 1")
    assert await page.ask(TITLES) == ["Hello, all"]
    assert await page.ask("document.getElementById('ping-state').textContent.length") > 0
    assert await page.ask("document.getElementById('state').textContent") == "Live · 1 event"
    assert page.mishaps == []


async def test_a_connection_that_is_cut_resumes_without_a_gap_or_a_repeat(
    page: Page, hub: LiveHub, site: Site
) -> None:
    topic = topic_of(site, hub, "zero")
    await follow(page, hub, topic)
    await publish(topic, hub, "n1")
    await page.until(f"{TITLES}.length === 1")
    store = hub.store()
    for number in (2, 4, 6):
        os.kill(hub.web_pid(), signal.SIGKILL)
        await page.until("document.getElementById('lamp').className === 'lamp wait'")
        # While the page is cut off, whoever pings; the worker lives on.
        topic.body = atom(f"n{number}", head=f'<link rel="hub" href="{hub.url}"/>')
        fetches = len(topic.fetches)
        await store.ping([topic.url])
        await topic.wait_for(fetches + 1)
        await publish(topic, hub, f"n{number + 1}")
        await page.until(f"{TITLES}[0] === 'n{number + 1}'", 40)
    await store.close()
    await page.until(IS_LIVE)
    assert await page.ask(TITLES) == [f"n{number}" for number in range(7, 0, -1)]


ATTACK = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>"
BOARD = "document.getElementById('events')"
ELEMENTS = (
    f"{BOARD}.querySelectorAll('script, img, b, iframe, [onclick], [href^=javascript]').length"
)


async def test_what_a_stranger_wrote_is_text_and_nothing_else(page: Page, hub: LiveHub) -> None:
    summary = escape(f"{ATTACK}<b onclick='window.hacked = 3'>bold</b>")
    entry = (
        "<entry><id>urn:e:evil</id><updated>2026-01-01T00:00:00Z</updated>"
        f"<title>{escape(ATTACK)} \u202eabc\u2066 \x85end</title>"
        '<link href="javascript:window.hacked = 4"/>'
        f"<summary type='html'>{summary}</summary></entry></feed>"
    )
    body = atom("zero").replace(b"</feed>", entry.encode())
    assert await hub.publish("feed", body, ATOM) == 202
    await page.open(f"{hub.url}#topic={hub.url}t/feed")
    await page.until(f"{TITLES}.length === 2")
    assert await page.ask(ELEMENTS) == 0
    shown = await page.ask(f"{BOARD}.textContent")
    assert "bold" in shown
    assert not {"\u202e", "\u2066", "\x85"} & set(shown)
    assert await page.ask("window.hacked === undefined")
    assert page.mishaps == []


async def test_not_even_a_hub_that_lies_makes_the_page_run_anything(
    page: Page, hub: LiveHub
) -> None:
    lie = {
        "type": "event",
        "id": "1795483375388-0",
        "topic": "x",
        "time": "2026-01-01T00:00:00Z",
        "entries": [
            {"title": ATTACK, "link": "javascript:window.hacked = 5", "summary": ATTACK},
            {"title": "\u202e\x1b", "link": "data:text/html,<b>", "summary": None},
            {"source": ATTACK},
        ],
    }
    data = json.dumps({"data": json.dumps(lie), "lastEventId": lie["id"], "type": "message"})
    source = (
        "window.EventSource = class { static OPEN = 1; addEventListener() {} close() {} readyState"
        f" = 1; constructor() {{ setTimeout(() => this.onmessage({data}), 50) }} }}"
    )
    await page.call("Page.addScriptToEvaluateOnNewDocument", source=source)
    await hub.publish("feed", atom("zero"), ATOM)
    await page.open(f"{hub.url}#topic={hub.url}t/feed")
    await page.until(f"{TITLES}.length === 3")
    assert await page.ask(TITLES) == [ATTACK, "\ufffd\ufffd", "Untitled"]
    assert await page.ask(ELEMENTS) == 0
    assert await page.ask(f"{BOARD}.querySelectorAll('a').length") == 0
    assert await page.ask("window.hacked === undefined")
    assert page.mishaps == []


async def test_a_page_that_is_published_is_shown_as_its_source(page: Page, hub: LiveHub) -> None:
    source = "<!doctype html><script>window.hacked = 1</script>\x1b[31m\x07 red"
    await hub.publish("page", source.encode(), "text/html")
    await page.open(f"{hub.url}#topic={hub.url}t/page")
    await page.until("document.querySelectorAll('#events pre').length === 1")
    shown = await page.ask("document.querySelector('#events pre').textContent")
    assert shown == source.replace("\x1b", "\ufffd").replace("\x07", "\ufffd")
    # Nor does it run where it is read by itself.
    await page.open(f"{hub.url}t/page")
    assert await page.ask("window.hacked === undefined")


async def test_a_token_is_kept_where_no_script_and_no_other_site_gets_it(
    page: Page, hub: LiveHub, site: Site
) -> None:
    topic = site.topic("/feed", atom("zero"), content_type=ATOM)
    await follow_with_token(page, hub, topic)
    assert await page.ask("document.cookie") == ""
    assert READ_TOKEN not in await page.ask("location.href")
    (cookie,) = (await page.call("Network.getCookies", urls=[f"{hub.url}events"]))["cookies"]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/events")
    await page.ask("document.getElementById('forget').click()")
    await page.until("document.getElementById('token-state').textContent === 'It is forgotten.'")
    assert (await page.call("Network.getCookies", urls=[f"{hub.url}events"]))["cookies"] == []


async def test_what_is_closed_is_told_in_the_hubs_own_words(page: Page, hub: LiveHub) -> None:
    await page.open(hub.url)
    await page.fill("topic", "https://nobody.example/feed")
    await page.until("document.getElementById('lamp').className === 'lamp bad'")
    said = await page.ask("document.getElementById('state').textContent")
    assert said.startswith("This hub shows nothing of https://nobody.example/feed")
    await page.fill("token-field", "not-a-token-of-this-hubs")
    await page.until("document.getElementById('token-state').classList.contains('bad')")


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_it_fits_and_can_be_read(page: Page, hub: LiveHub, width: int, is_dark: bool) -> None:
    long = "x" * 300
    await hub.publish("feed", atom(f"{long}={long}"), ATOM)
    await page.look(width=width, is_dark=is_dark)
    await page.open(f"{hub.url}#topic={hub.url}t/feed")
    await page.until(f"{TITLES}.length === 1")
    assert await page.ask("document.documentElement.scrollWidth") <= width
    assert await page.ask(
        "Array.from(document.querySelectorAll('input:not([type=hidden])'))"
        ".every((field) => field.labels.length === 1)"
    )
    faint = await page.ask(CONTRAST)
    assert faint == []


# The texts whose contrast with what lies behind them is under 4.5 (WCAG 2.2, 1.4.3).
CONTRAST = """(() => {
  const light = (colour) => colour.map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const parts = (text) => text.match(/[0-9.]+/g).map(Number);
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const colour = parts(getComputedStyle(one).backgroundColor);
      if (colour.length === 3) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  const texts = "p, h1, h2, h3, a, button, label, code, pre, span, summary, time";
  for (const one of document.querySelectorAll(texts)) {
    if (!one.innerText?.trim() || !one.checkVisibility() || one.closest(".skip")) continue;
    const [a, b] = [light(parts(getComputedStyle(one).color).slice(0, 3)), light(behind(one))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) faint.push(one.innerText.slice(0, 40) + " " + contrast.toFixed(2));
  }
  return faint;
})()"""
