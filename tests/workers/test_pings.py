"""When topics are fetched: at once, but boundedly often, and the last ping always counts."""

import asyncio

from tests.workers.conftest import StartHub
from tests.workers.feeds import ATOM, atom
from tests.workers.hub_in_process import Hub
from tests.workers.sites import Callback, Site, Topic
from tests.workers.waiting import eventually


async def followed(
    hub: Hub, site: Site, body: bytes, content_type: str = "text/plain"
) -> tuple[Topic, Callback]:
    topic, callback = site.topic("/t", body, content_type), site.callback("/c")
    await hub.subscribe(topic, callback)
    return topic, callback


async def test_a_burst_of_pings_costs_few_fetches_and_brings_the_newest_state(
    start_hub: StartHub, site: Site
) -> None:
    hub = await start_hub(limits={"fetch_burst": 5, "fetch_interval": 300})
    topic, callback = await followed(hub, site, b"0")
    before_s = asyncio.get_running_loop().time()
    for number in range(1, 51):
        await hub.publish(topic, str(number).encode())
        await asyncio.sleep(0.002)
    await eventually(lambda: callback.deliveries[-1].body == b"50", 3)
    bodies = [int(delivery.body) for delivery in callback.deliveries]
    assert topic.fetches[1].at_s - before_s < 0.3
    assert bodies == sorted(set(bodies))
    lasted_s = topic.fetches[-1].at_s - before_s
    assert len(topic.fetches) <= 1 + 5 + lasted_s / 0.3 + 1


async def test_a_ping_during_a_fetch_leads_to_one_more(hub: Hub, site: Site) -> None:
    topic, callback = await followed(hub, site, b"1")
    topic.delay_s, topic.body = 0.2, b"2"
    await hub.ping(topic)
    await topic.wait_for(2)
    topic.body = b"3"
    for _ in range(5):
        await hub.ping(topic)
    await eventually(lambda: [d.body for d in callback.deliveries] == [b"2", b"3"], 3)
    await hub.until_fetched(topic)
    assert len(topic.fetches) == 3


async def test_one_ping_may_name_many_topics(hub: Hub, site: Site) -> None:
    topics = [site.topic(f"/t{number}", b"1") for number in range(60)]
    callback = site.callback("/c")
    await asyncio.gather(*(hub.subscribe(topic, callback) for topic in topics))
    for topic in topics:
        topic.body = topic.url.encode()
    await hub.ping(*topics)
    await callback.wait_for(60)
    assert {d.body.decode() for d in callback.deliveries} == {t.url for t in topics}


async def test_a_ping_for_what_nobody_follows_does_nothing(hub: Hub, site: Site) -> None:
    followed_one, _ = await followed(hub, site, b"1")
    other = site.topic("/other", b"1")
    await hub.ping(other, followed_one)
    await followed_one.wait_for(2)
    await hub.until_fetched(followed_one)
    assert (other.fetches, hub.facts(other)) == ([], {})


async def test_a_document_that_the_hub_chokes_on_is_tried_again_by_the_schedule(
    hub: Hub, site: Site
) -> None:
    topic, _ = await followed(hub, site, atom("a"), ATOM)
    (seen,) = hub.redis.keys(hub.key("seen:*"))
    hub.redis.hset(seen, hub.redis.hkeys(seen)[0], b"damaged" * 3)
    await hub.publish(topic, atom("b", "a"))
    await eventually(lambda: hub.facts(topic).get("failures") == "1", 3)
    assert hub.facts(topic)["outcome"] == "the hub could not read the document"
    assert len(topic.fetches) == 2
