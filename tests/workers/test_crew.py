"""A whole crew: woken by the bell, alive in spite of faults, and at its end."""

import asyncio
from dataclasses import replace

import pytest

from hub.clock import monotonic_s
from hub.protocol.requests import Mode
from hub.store.results import NotReady, Ready
from tests.workers.conftest import StartHub
from tests.workers.hub_in_process import Hub
from tests.workers.sites import Reply, Site
from tests.workers.waiting import eventually_true

HANG = Reply(end="hang")
# Less than a claim lasts in these tests (30 s): what is taken up by then was given back.
SOON_S = 3


async def stop(hub: Hub, number: int = 0) -> None:
    """As the worker process does it."""
    crew = hub.crews[number]
    await crew.close(0.1)
    await hub.doors[number].stop()
    await crew.close(1)


class TestAtWork:
    async def test_the_bell_wakes_a_crew_at_once(self, start_hub: StartHub, site: Site) -> None:
        hub = await start_hub(limits={"look_again": 1000})
        topic, callback = site.topic("/t", b"0"), site.callback("/c")
        await hub.subscribe(topic, callback)
        for number in range(1, 6):
            await asyncio.sleep(0.05)
            await hub.publish(topic, str(number).encode())
            await callback.wait_for(number, within_s=0.3)

    async def test_a_fault_in_one_part_leaves_the_others_at_work(
        self, hub: Hub, site: Site
    ) -> None:
        await eventually_true(lambda: is_ready(hub), 2)
        hub.redis.delete(hub.key("workers"))
        hub.redis.set(hub.key("workers"), "no sorted set, so that no heart can beat")
        hub.start_crew()
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        await hub.subscribe(topic, callback)
        await hub.publish(topic, b"2")
        await callback.wait_for(1)
        assert not any(task.done() for task in hub.attending)
        hub.redis.delete(hub.key("workers"))
        await eventually_true(lambda: is_ready(hub), 4)

    async def test_what_the_lists_have_lost_is_repaired_at_the_start(
        self, start_hub: StartHub, site: Site
    ) -> None:
        hub = await start_hub(crews=0)
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        number = await hub.request(Mode.SUBSCRIBE, topic, callback)
        hub.redis.delete(hub.key("wl:unverified"), hub.key("wl:pinged"))
        hub.start_crew()
        await hub.until_settled(number)
        assert hub.progress(topic, callback) is not None

    async def test_and_again_from_time_to_time(self, start_hub: StartHub, site: Site) -> None:
        hub = await start_hub(repair_interval_s=1)
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        await hub.subscribe(topic, callback)
        callback.replies.append(Reply(status=500))
        await hub.publish(topic, b"2")
        await hub.until_failed(topic, callback, 1)
        hub.redis.delete(hub.key("wl:ready"))
        hub.move_clock(7)
        await hub.until_up_to_date(topic, callback)

    async def test_a_handed_on_bucket_keeps_to_the_room_there_is(
        self, start_hub: StartHub, site: Site
    ) -> None:
        hub = await start_hub(requests_at_once=1, patience_s=0.8, patience_newer_s=0.7)
        first, second = site.topic("/t1", b"1"), site.topic("/t2", b"1")
        slow, quick = site.callback("/slow"), site.callback("/quick")
        await hub.subscribe(first, slow)
        await hub.subscribe(second, quick)
        slow.otherwise = Reply(delay_s=0.4)
        await hub.publish(first, b"2")
        await slow.wait_for(1)
        await hub.publish(second, b"2")
        await quick.wait_for(1)
        assert quick.deliveries[0].at_s - slow.deliveries[0].at_s >= 0.4


class TestAtItsEnd:
    async def test_a_crew_shows_that_it_is_alive_until_it_ends(self, hub: Hub) -> None:
        await eventually_true(lambda: is_ready(hub), 2)
        hub.attending[0].cancel()
        await asyncio.wait(hub.attending)
        hub.attending.clear()
        await hub.crews[0].finish(1)
        assert isinstance(await hub.store.readiness(), NotReady)

    async def test_nothing_more_is_claimed(self, hub: Hub, site: Site) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        await hub.subscribe(topic, callback)
        await stop(hub)
        await hub.publish(topic, b"2")
        await asyncio.sleep(0.2)
        assert hub.redis.hlen(hub.key("wl:pinged:claims")) == 0
        hub.start_crew()
        await callback.wait_for(1)

    async def test_what_a_fetch_hands_on_during_it_is_still_delivered(
        self, hub: Hub, site: Site
    ) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        await hub.subscribe(topic, callback)
        topic.delay_s = 0.3
        await hub.publish(topic, b"2")
        await topic.wait_for(2)
        await hub.crews[0].close(2)
        hub.start_crew()
        await callback.wait_for(1, within_s=SOON_S)
        await hub.until_up_to_date(topic, callback)
        assert len(callback.deliveries) == 1

    async def test_it_does_not_wait_for_who_hangs(self, hub: Hub, site: Site) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        await hub.subscribe(topic, callback)
        callback.otherwise = HANG
        await hub.publish(topic, b"2")
        await callback.wait_for(1)
        began_s = monotonic_s()
        await stop(hub)
        assert monotonic_s() - began_s < 0.5

    async def test_a_fetch_that_is_broken_off_is_taken_up_by_the_next_crew(
        self, hub: Hub, site: Site
    ) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        await hub.subscribe(topic, callback)
        topic.reply = HANG
        await hub.publish(topic, b"2")
        await topic.wait_for(2)
        await stop(hub)
        assert "failures" not in hub.facts(topic)
        topic.reply = None
        hub.start_crew()
        await callback.wait_for(1, within_s=SOON_S)

    async def test_a_delivery_that_is_broken_off_is_taken_up_by_the_next_crew(
        self, hub: Hub, site: Site
    ) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        await hub.subscribe(topic, callback)
        callback.replies.append(HANG)
        await hub.publish(topic, b"2")
        await callback.wait_for(1)
        await stop(hub)
        assert hub.attempts(topic, callback) == 0
        hub.start_crew()
        await callback.wait_for(2, within_s=SOON_S)

    async def test_a_verification_that_is_broken_off_is_taken_up_by_the_next_crew(
        self, hub: Hub, site: Site
    ) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        callback.verify.append(HANG)
        number = await hub.request(Mode.SUBSCRIBE, topic, callback)
        await callback.wait_for_verifications(1)
        await stop(hub)
        assert int(hub.redis.hget(hub.key(f"request:{number}"), "tries")) == 0
        hub.start_crew()
        await hub.until_settled(number, within_s=SOON_S)
        assert hub.progress(topic, callback) is not None

    async def test_a_denial_that_is_broken_off_is_sent_by_the_next_crew(
        self, hub: Hub, site: Site
    ) -> None:
        topic, callback = site.topic("/t", b"1"), site.callback("/c")
        topic = replace(topic, url="http://169.254.169.254/")
        callback.verify.append(HANG)
        number = await hub.request(Mode.SUBSCRIBE, topic, callback)
        await callback.wait_for_verifications(1)
        await stop(hub)
        assert hub.redis.exists(hub.key(f"request:{number}"))
        hub.start_crew()
        await callback.wait_for_verifications(2, within_s=SOON_S)
        assert callback.verifications[1].query["hub.mode"] == "denied"
        await hub.until_settled(number)


async def is_ready(hub: Hub) -> bool:
    return isinstance(await hub.store.readiness(), Ready)


@pytest.fixture
async def hub(start_hub: StartHub) -> Hub:
    # Patience that does not end while a crew stops.
    return await start_hub(patience_s=1.5, patience_newer_s=1)
