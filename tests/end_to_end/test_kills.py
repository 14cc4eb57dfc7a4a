"""Nothing that was accepted is lost, whoever is killed in the middle (design section 3)."""

import asyncio
import time

import pytest

from tests.end_to_end.processes import Hub, Reachable, Served
from tests.end_to_end.series import Series
from tests.workers.feeds import ATOM, entries_of
from tests.workers.sites import Reply, Site, Topic
from tests.workers.waiting import eventually

pytestmark = pytest.mark.slow
VERSIONS = 24
KILL_AT = frozenset({6, 14})


class World:
    """One topic that is published version after version, and its subscribers."""

    def __init__(self, hub: Reachable, site: Site) -> None:
        self.hub = hub
        self.series = Series()
        self.topic: Topic = site.topic("/feed", self.series.next(), ATOM)
        self.callbacks = [site.callback("/one"), site.callback("/two")]

    async def subscribe(self) -> None:
        for callback in self.callbacks:
            await self.hub.until_accepted(
                mode="subscribe", topic=self.topic.url, callback=callback.url, secret="s"
            )
            await callback.wait_for_verifications(1, within_s=10)
        await eventually(lambda: self.hub.subscriptions() == len(self.callbacks), 10)

    async def publish(self) -> None:
        self.topic.body = self.series.next()
        await self.hub.until_accepted(mode="publish", url=self.topic.url)

    async def until_all_have_it(self, within_s: float) -> None:
        await eventually(
            lambda: all(self.series.is_complete(callback) for callback in self.callbacks),
            within_s,
            lambda: [[entries_of(d.body) for d in c.deliveries] for c in self.callbacks],
        )


@pytest.mark.parametrize("victim", ["web", "worker", "redis"])
async def test_a_kill_in_the_middle_of_a_series_loses_nothing(
    hub: Hub, site: Site, victim: str
) -> None:
    world = World(hub, site)
    await world.subscribe()
    for number in range(VERSIONS):
        await world.publish()
        if number in KILL_AT:
            await hub.kill(victim)
            await asyncio.sleep(0.05)
            await hub.start(victim)
        await asyncio.sleep(0.02)
    await world.until_all_have_it(within_s=20)
    for callback in world.callbacks:
        assert world.series.faults(callback, repeats_max=len(KILL_AT)) == []


async def test_a_kill_of_everything_at_once_loses_nothing(hub: Hub, site: Site) -> None:
    world = World(hub, site)
    await world.subscribe()
    world.callbacks[1].otherwise = Reply(delay_s=0.05)
    for number in range(VERSIONS):
        await world.publish()
        if number in KILL_AT:
            for victim in ("redis", "worker", "web"):
                await hub.kill(victim)
            await hub.start()
    await world.until_all_have_it(within_s=20)
    for callback in world.callbacks:
        assert world.series.faults(callback, repeats_max=len(KILL_AT)) == []


async def test_a_killed_serve_with_orphans_left_alive_loses_nothing(
    served: Served, site: Site
) -> None:
    world = World(served, site)
    await world.subscribe()
    healthy, failing = world.callbacks
    failing.otherwise = Reply(status=500)
    await world.publish()
    await healthy.wait_for(1)
    await failing.wait_for(1)
    # Accepted, and as good as nothing of it done.
    late = site.callback("/late")
    await served.until_accepted(mode="subscribe", topic=world.topic.url, callback=late.url)
    await world.publish()
    orphan = await served.kill()
    failing.otherwise = Reply()
    await served.start()
    assert served.redis_pid() != orphan
    await late.wait_for_verifications(1)
    await eventually(lambda: served.subscriptions() == 3, 10)
    await world.publish()
    await world.until_all_have_it(within_s=15)
    await late.wait_for(1)
    for callback in world.callbacks:
        assert world.series.faults(callback, repeats_max=1) == []


async def test_a_subscriber_that_was_down_gets_all_it_missed_in_one_post(
    hub: Hub, site: Site
) -> None:
    world = World(hub, site)
    await world.subscribe()
    healthy, down = world.callbacks
    down.otherwise = Reply(end="reset")
    known = len(world.series.news)
    for _ in range(5):
        seen = len(healthy.deliveries)
        await world.publish()
        await healthy.wait_for(seen + 1)
    down.otherwise = Reply()
    down.deliveries.clear()
    await eventually(lambda: len(down.deliveries) == 1, 10)
    missed = dict(entry.split("=") for entry in world.series.news[known:])
    got = dict(entry.split("=") for entry in entries_of(down.deliveries[0].body))
    assert got == missed
    assert ".." in (down.deliveries[0].header("webhook-id") or "")


async def test_a_worker_that_is_told_to_stop_gives_back_what_it_cannot_finish(
    hub: Hub, site: Site
) -> None:
    world = World(hub, site)
    await world.subscribe()
    healthy, slow = world.callbacks
    for _ in range(5):
        await world.publish()
        await asyncio.sleep(0.03)
    slow.replies.append(Reply(end="hang"))
    count = len(slow.deliveries)
    await world.publish()
    await slow.wait_for(count + 1)
    began_s = time.monotonic()
    # The supervisor would kill it after 1.5 s.
    assert await hub.end_gracefully("worker", within_s=4) == 0
    assert time.monotonic() - began_s < 1.5
    assert hub.held_by_workers() == []
    for _ in range(5):
        await world.publish()
    await hub.start("worker")
    await world.until_all_have_it(within_s=15)
    for callback in (healthy, slow):
        assert world.series.faults(callback, repeats_max=1) == []


async def test_a_worker_that_is_told_to_stop_while_redis_is_away_ends_in_time(
    hub: Hub, site: Site
) -> None:
    world = World(hub, site)
    await world.subscribe()
    await world.publish()
    await hub.kill("redis")
    await asyncio.sleep(0.3)
    began_s = time.monotonic()
    await hub.end_gracefully("worker", within_s=4)
    assert time.monotonic() - began_s < 2.5
    await hub.start("redis", "worker")
    await world.until_all_have_it(within_s=15)
