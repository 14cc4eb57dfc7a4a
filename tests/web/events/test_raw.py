"""The topic's own format on pull: what a callback would get."""

import asyncio

from tests.web.events.served import DEADLINE_S, Served
from tests.workers.feeds import ATOM, atom, entries_of
from tests.workers.sites import Site
from tests.workers.waiting import eventually

TYPE = "application/atom+xml"


async def test_what_is_new_comes_as_one_feed(served: Served, site: Site) -> None:
    topic = await served.follow(site)
    for name in ("one", "two"):
        await served.hub.publish_event(topic, atom(name))
    first, last = [event["id"] for event in (await served.pull(topic, after="earliest"))["events"]]
    url = served.url(topic, after="earliest")
    async with served.session.get(url, headers={"Accept": TYPE}) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == ATOM
        assert entries_of(await response.read()) == ["two", "one"]
        assert response.headers["Webhook-Id"] == f"{first}..{last}"
        assert 'rel="self"' in response.headers["Link"]
        # It is never a page of ours.
        assert response.headers["Content-Security-Policy"].startswith("sandbox")
        assert response.headers["Content-Disposition"] == "attachment"
    url = served.url(topic, after=f"{first}..{last}")
    async with served.session.get(url, headers={"Accept": TYPE}) as response:
        assert response.status == 204
        assert response.headers["Webhook-Id"] >= last


async def test_what_is_no_feed_comes_whole(served: Served, site: Site) -> None:
    topic = site.topic("/status", b"up", content_type="text/plain")
    await served.know(topic)
    await served.hub.publish_event(topic, b"down")
    status, body = await served.get(served.url(topic, after="earliest"), Accept="text/plain")
    assert (status, body) == (200, "down")


async def test_it_waits_where_it_is_asked_to(served: Served, site: Site) -> None:
    topic = await served.follow(site)
    poll = asyncio.create_task(served.get(served.url(topic, wait=55), Accept=TYPE))
    await eventually(lambda: served.readers() == 1, DEADLINE_S)
    await served.hub.publish(topic, atom("one"))
    async with asyncio.timeout(DEADLINE_S):
        status, body = await poll
    assert (status, entries_of(body.encode())) == (200, ["one"])


async def test_another_type_is_not_there(served: Served, site: Site) -> None:
    topic = await served.follow(site)
    status, sentence = await served.get(served.url(topic), Accept="application/rss+xml")
    assert status == 406
    assert TYPE in sentence
    status, answer = await served.get(served.url(topic), Accept="application/rss+xml, */*;q=0.1")
    assert (status, answer.startswith('{"events"')) == (200, True)


async def test_several_topics_make_no_one_document(served: Served, site: Site) -> None:
    topics = [await served.follow(site, path) for path in ("/a", "/b")]
    status, sentence = await served.get(served.url(*topics), Accept=TYPE)
    assert (status, "one topic" in sentence) == (406, True)
