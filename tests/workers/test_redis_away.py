"""A crew whose Redis is killed and comes back: it goes on, and asks nothing twice of anybody."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from hub.protocol.requests import Mode
from tests.workers.hub_in_process import Hub, open_hub
from tests.workers.own_redis import OwnRedis
from tests.workers.sites import Reply, Site
from tests.workers.waiting import eventually
from workers.arq_frame import run_arq


@pytest.fixture
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    redis = OwnRedis(tmp_path_factory.mktemp("own"))
    yield redis
    redis.kill()


@pytest.fixture
async def hub(own_redis: OwnRedis) -> AsyncIterator[Hub]:
    await own_redis.start()
    async with open_hub(own_redis.url, "own", {}) as hub:
        hub.start_crew()
        yield hub


async def outage(own_redis: OwnRedis, lasts_s: float = 0.3) -> None:
    own_redis.kill()
    await asyncio.sleep(lasts_s)
    await own_redis.start()


async def test_a_crew_goes_on_after_each_outage(hub: Hub, own_redis: OwnRedis, site: Site) -> None:
    topic, callback = site.topic("/t", b"0"), site.callback("/c")
    frame = hub.run(run_arq(hub.url, hub.prefix, hub.crews[0], look_each_s=1))
    await hub.subscribe(topic, callback)
    for number in range(1, 4):
        await outage(own_redis)
        await hub.publish(topic, str(number).encode())
        await callback.wait_for(number)
        await hub.until_up_to_date(topic, callback)
        other = site.callback(f"/c{number}")
        await hub.subscribe(topic, other)
    assert [delivery.body for delivery in callback.deliveries] == [b"1", b"2", b"3"]
    assert not frame.done()
    assert not hub.attending[0].done()


async def test_what_was_answered_during_an_outage_is_not_sent_again(
    hub: Hub, own_redis: OwnRedis, site: Site
) -> None:
    topic = site.topic("/t", b"1")
    callbacks = [site.callback(f"/c{n}") for n in range(5)]
    for callback in callbacks:
        await hub.subscribe(topic, callback)
        callback.otherwise = Reply(delay_s=0.2)
    await hub.publish(topic, b"2")
    await callbacks[-1].wait_for(1)
    await outage(own_redis)
    await hub.until_up_to_date(topic, *callbacks)
    hub.move_clock(hub.settings.claim_lease_s + 1)
    await hub.publish(topic, b"3")
    for callback in callbacks:
        await callback.wait_for(2)
    await hub.until_up_to_date(topic, *callbacks)
    for callback in callbacks:
        assert [delivery.body for delivery in callback.deliveries] == [b"2", b"3"]


async def test_a_late_answer_that_came_during_an_outage_still_counts(
    hub: Hub, own_redis: OwnRedis, site: Site
) -> None:
    topic, slow = site.topic("/t", b"1"), site.callback("/c")
    await hub.subscribe(topic, slow)
    slow.otherwise = Reply(delay_s=1)
    await hub.publish(topic, b"2")
    await slow.wait_for(1)

    def is_in_flight() -> bool:
        progress = hub.progress(topic, slow)
        return progress is not None and progress.flight_until_ms > 0

    await eventually(is_in_flight, 1)
    await outage(own_redis, lasts_s=1)
    await hub.until_up_to_date(topic, slow)
    assert len(slow.deliveries) == 1


async def test_a_confirmation_that_came_during_an_outage_is_not_asked_for_again(
    hub: Hub, own_redis: OwnRedis, site: Site
) -> None:
    topic, callback = site.topic("/t", b"1"), site.callback("/c")
    await hub.subscribe(topic, site.callback("/other"))
    callback.confirm_after_s.append(0.3)
    number = await hub.request(Mode.SUBSCRIBE, topic, callback)
    await callback.wait_for_verifications(1)
    await outage(own_redis, lasts_s=0.5)
    await hub.until_settled(number)
    assert hub.progress(topic, callback) is not None
    assert len(callback.verifications) == 1


async def test_a_document_that_came_as_redis_was_killed_is_delivered_once_after_one_more_fetch(
    hub: Hub, own_redis: OwnRedis, site: Site
) -> None:
    # Redis forgets the claim, which was never written to disk, so the first document counts for
    # nothing and the topic is due at once.
    topic, callback = site.topic("/t", b"1"), site.callback("/c")
    await hub.subscribe(topic, callback)
    topic.delay_s = 0.3
    await hub.publish(topic, b"2")
    await topic.wait_for(2)
    await outage(own_redis, lasts_s=0.5)
    await callback.wait_for(1)
    assert len(topic.fetches) == 3
    assert [delivery.body for delivery in callback.deliveries] == [b"2"]


async def test_a_record_that_cannot_be_read_stops_neither_its_list_nor_the_others(
    hub: Hub, site: Site
) -> None:
    topic, callback, poisoned = site.topic("/t", b"1"), site.callback("/c"), site.callback("/p")
    (crew,) = hub.crews
    await hub.subscribe(topic, callback)
    poisoned.confirm_after_s.append(1)
    number = await hub.request(Mode.SUBSCRIBE, topic, poisoned)
    hub.redis.hset(hub.key(f"request:{number}"), "mode", "nonsense")
    await eventually(lambda: _claims(hub, "unverified") == 1, 3)
    await hub.publish(topic, b"2")
    await callback.wait_for(1)
    await hub.subscribe(topic, site.callback("/later"))
    assert poisoned.verifications == []
    assert all(station.has_room for station in crew.stations)


def _claims(hub: Hub, work_list: str) -> int:
    return int(hub.redis.hlen(hub.key(f"wl:{work_list}:claims")))
