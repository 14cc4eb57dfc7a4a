"""A Redis without memory: the hub stands still, loses nothing, and goes on when there is room."""

import pytest
from redis import Redis

from tests.end_to_end.processes import Hub
from tests.end_to_end.series import Series
from tests.workers.feeds import ATOM
from tests.workers.sites import Reply, Site
from tests.workers.waiting import eventually, eventually_true

pytestmark = pytest.mark.slow
FULL, NO_LIMIT = 1, 0
SAID_WHEN_FULL = ("delivered id=", "/late effect=applied", "repair put off")


def give_memory(hub: Hub, max_bytes: int) -> None:
    with Redis.from_url(hub.redis_url) as redis:
        redis.config_set("maxmemory", max_bytes)


async def test_what_was_taken_before_memory_was_full_is_finished_when_there_is_room(
    hub: Hub, site: Site
) -> None:
    series = Series()
    topic = site.topic("/feed", series.next(), ATOM)
    prompt, slow, late = (site.callback(path) for path in ("/prompt", "/slow", "/late"))
    for callback in (prompt, slow):
        await hub.until_accepted(mode="subscribe", topic=topic.url, callback=callback.url)
    await eventually(lambda: hub.subscriptions() == 2, 10)
    # Memory fills while one delivery is under way, a fetch has begun, and a request is pending.
    slow.replies.append(Reply(delay_s=0.5))
    topic.body = series.next()
    await hub.until_accepted(mode="publish", url=topic.url)
    await slow.wait_for(1)
    late.confirm_after_s.append(0.5)
    await hub.until_accepted(mode="subscribe", topic=topic.url, callback=late.url)
    await late.wait_for_verifications(1)
    topic.body, topic.delay_s = series.next(), 0.5
    fetched = len(topic.fetches)
    await hub.until_accepted(mode="publish", url=topic.url)
    await topic.wait_for(fetched + 1)
    give_memory(hub, FULL)

    async def refuses() -> bool:
        return await hub.post(mode="publish", url=topic.url) == 503

    await eventually_true(refuses, 5)
    # What was under way is settled all the same; what would grow is held back.
    await eventually(lambda: all(said in hub.log() for said in SAID_WHEN_FULL), 5, hub.log)
    give_memory(hub, NO_LIMIT)
    await eventually(lambda: all(map(series.is_complete, (prompt, slow))), 15, hub.log)
    assert hub.subscriptions() == 3
    assert len(slow.deliveries) == len(prompt.deliveries) == 2
    assert len(late.verifications) == 1
