"""Origins that are down: held, probed once a step, and drained when they are back (design 7)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import pytest
from structlog.testing import capture_logs

from hub.store.origins import OriginStatus
from tests.workers.conftest import StartHub
from tests.workers.hub_in_process import Hub
from tests.workers.sites import Callback, Reply, Site, Topic
from tests.workers.waiting import eventually, eventually_true

HANG = Reply(end="hang")
BUSY = Reply(status=429, fields=(("Retry-After", "3600"),))
MANY = 40
AT_ONCE = 4
DAY_MS = 86_400_000


class Receivers:
    """A site with many callbacks that can be shut, so that nobody can connect, and opened again."""

    def __init__(self) -> None:
        self.site = Site()
        self.port = 0
        self._stack = contextlib.AsyncExitStack()

    async def open(self) -> None:
        await self._stack.enter_async_context(self.site.open(self.port))
        self.port = int(self.site.url.rpartition(":")[2])

    async def shut(self) -> None:
        await self._stack.aclose()

    def callbacks(self, count: int) -> list[Callback]:
        return [self.site.callback(f"/c{number}") for number in range(count)]


@pytest.fixture
async def receivers() -> AsyncIterator[Receivers]:
    opened = Receivers()
    await opened.open()
    yield opened
    await opened.shut()


async def subscribed(hub: Hub, topic: Topic, callbacks: Sequence[Callback]) -> None:
    await asyncio.gather(*(hub.subscribe(topic, callback) for callback in callbacks))


async def held(hub: Hub) -> OriginStatus | None:
    """The one origin that is held, if one is."""
    found = await hub.store.origins.breakers(limit=9)
    return next((one for one in found.shown if one.is_open), None)


async def until_held(hub: Hub) -> None:
    async def is_so() -> bool:
        return await held(hub) is not None

    await eventually_true(is_so, 5)


async def until_probed(hub: Hub, *, beyond_s: float = 2) -> None:
    """Moves the clock beyond the next probe, and returns when it has failed."""
    before = await held(hub)
    assert before is not None
    began = hub.redis.hget(hub.key("origins"), before.origin)
    hub.move_clock(before.next_ms / 1000 + beyond_s)

    async def is_so() -> bool:
        record: bytes = hub.redis.hget(hub.key("origins"), before.origin)
        # Its fifth word is the probe under way.
        return record != began and record.split()[4] == b"0"

    await eventually_true(is_so, 5)


async def until_drained(
    hub: Hub, topic: Topic, callbacks: Sequence[Callback], *, beyond_s: float = 2
) -> None:
    """Moves the clock beyond the next probe, and returns when all have everything."""
    before = await held(hub)
    assert before is not None
    hub.move_clock(before.next_ms / 1000 + beyond_s)
    await eventually(lambda: all(c.deliveries for c in callbacks), 15, lambda: counts(callbacks))
    await hub.until_up_to_date(topic, *callbacks)


def counts(callbacks: Sequence[Callback]) -> list[int]:
    return [len(callback.deliveries) for callback in callbacks]


def most_at_once(callbacks: Sequence[Callback], each_s: float) -> int:
    """How many requests were open together, of which each took so long."""
    times = sorted(heard.at_s for callback in callbacks for heard in callback.deliveries)
    return max(sum(at - each_s < other <= at for other in times) for at in times)


async def test_a_dead_origin_costs_one_probe_a_step_and_no_attempt_of_those_who_wait(
    start_hub: StartHub, site: Site, receivers: Receivers
) -> None:
    hub = await start_hub(crews=2, limits={"bucket_size": 8})
    topics = [site.topic("/1", b"1"), site.topic("/2", b"1")]
    callbacks = receivers.callbacks(MANY)
    for topic in topics:
        await subscribed(hub, topic, callbacks)
    await receivers.shut()
    await hub.publish_event(topics[0], b"2")
    await until_held(hub)
    # What was under way when it opened is over before anything is counted.
    await until_probed(hub)
    attempts = [hub.attempts(topic, c) for topic in topics for c in callbacks]
    with capture_logs() as lines:
        for number in range(3):
            await hub.publish_event(topics[1], b"event %d" % number)
            await until_probed(hub)
    assert sum(line["event"] == "not delivered" for line in lines) == 3
    assert [hub.attempts(topic, c) for topic in topics for c in callbacks] == attempts


async def test_an_origin_that_is_back_is_drained_within_its_limit(
    start_hub: StartHub, site: Site, receivers: Receivers
) -> None:
    # The clock is moved, and with it heartbeats seem to be long ago.
    alive = {"worker_silent": DAY_MS, "heartbeat_kept": DAY_MS}
    limits = {"bucket_size": 5, "release_interval": 100, **alive}
    hub = await start_hub(crews=2, limits=limits, requests_at_once_per_host=AT_ONCE)
    topic, callbacks = site.topic("/t", b"1"), receivers.callbacks(MANY)
    await subscribed(hub, topic, callbacks)
    # A worker hears of the others with its own heartbeat.
    await eventually(lambda: all(d._share.at_once == AT_ONCE / 2 for d in hub.doors), 5)
    for callback in callbacks:
        callback.otherwise = Reply(delay_s=0.05)
    await receivers.shut()
    await hub.publish_event(topic, b"2")
    await until_held(hub)
    await until_probed(hub)
    await receivers.open()
    await until_drained(hub, topic, callbacks)
    assert counts(callbacks) == [1] * MANY
    assert most_at_once(callbacks, 0.045) <= AT_ONCE

    async def is_forgotten() -> bool:
        return not (await hub.store.origins.breakers(limit=9)).shown

    await eventually_true(is_forgotten, 5)


async def test_callbacks_of_other_origins_in_the_same_bucket_go_on(
    start_hub: StartHub, site: Site, receivers: Receivers
) -> None:
    hub = await start_hub()
    topic, (down, well) = site.topic("/t", b"1"), (receivers.callbacks(1)[0], site.callback("/w"))
    await subscribed(hub, topic, [down, well])
    await receivers.shut()
    for number in range(4):
        await hub.publish_event(topic, b"event %d" % number)
        await well.wait_for(number + 1)
    assert await held(hub) is not None
    assert hub.attempts(topic, down) == 1
    await receivers.open()
    await until_drained(hub, topic, [down])
    # One catch-up with all that it missed.
    assert counts([down]) == [1]


async def test_one_busy_tenant_slows_only_itself(hub: Hub, site: Site) -> None:
    topic, callbacks = site.topic("/t", b"1"), [site.callback(f"/c{n}") for n in range(4)]
    await subscribed(hub, topic, callbacks)
    callbacks[0].otherwise = BUSY
    for number in range(4):
        await hub.publish_event(topic, b"event %d" % number)
        for callback in callbacks[1:]:
            await callback.wait_for(number + 1)
    assert counts(callbacks) == [1, 4, 4, 4]
    assert await held(hub) is None


async def test_where_some_callbacks_hang_and_others_succeed_nobody_is_held(
    hub: Hub, site: Site
) -> None:
    topic, callbacks = site.topic("/t", b"1"), [site.callback(f"/c{n}") for n in range(8)]
    await subscribed(hub, topic, callbacks)
    for callback in callbacks[:5]:
        callback.otherwise = HANG
    await hub.publish_event(topic, b"2")
    for callback in callbacks[:5]:
        await hub.until_failed(topic, callback, 1)
    assert await held(hub) is None
    await hub.publish_event(topic, b"3")
    for callback in callbacks[5:]:
        await callback.wait_for(2)


async def test_an_origin_whose_callbacks_all_hang_is_held_and_probed(
    start_hub: StartHub, site: Site, receivers: Receivers
) -> None:
    hub = await start_hub(request_deadline_s=0.5, connect_timeout_s=0.3)
    topic, callbacks = site.topic("/t", b"1"), receivers.callbacks(3)
    await subscribed(hub, topic, callbacks)
    for callback in callbacks:
        callback.otherwise = HANG
    await hub.publish_event(topic, b"2")
    await until_held(hub)
    assert counts(callbacks) == [1, 1, 1]
    # Another worker probes, which has not seen what opened it.
    for station in hub.crews[0].stations:
        station.close()
    hub.start_crew()
    await hub.publish_event(topic, b"3")
    await until_probed(hub, beyond_s=10)
    assert sum(counts(callbacks)) == 4
    for callback in callbacks:
        callback.otherwise = Reply()
        callback.deliveries.clear()
    # A time-out is the callback's failure as well, so that it is tried by its own schedule.
    await until_drained(hub, topic, callbacks, beyond_s=120)


async def test_an_origin_that_takes_connections_again_and_hangs_is_not_back(
    start_hub: StartHub, site: Site, receivers: Receivers
) -> None:
    hub = await start_hub(request_deadline_s=0.5, connect_timeout_s=0.3)
    topic, callbacks = site.topic("/t", b"1"), receivers.callbacks(8)
    await subscribed(hub, topic, callbacks)
    await receivers.shut()
    await hub.publish_event(topic, b"2")
    await until_held(hub)
    for callback in callbacks:
        callback.otherwise = HANG
    await receivers.open()
    await until_probed(hub)
    assert sum(counts(callbacks)) == 1
    assert await held(hub) is not None


async def test_a_worker_that_stops_while_it_probes_leaves_the_next_probe_to_another(
    start_hub: StartHub, site: Site, receivers: Receivers
) -> None:
    hub = await start_hub()
    topic, callbacks = site.topic("/t", b"1"), receivers.callbacks(4)
    await subscribed(hub, topic, callbacks)
    await receivers.shut()
    await hub.publish_event(topic, b"2")
    await until_held(hub)
    (crew,) = hub.crews
    for station in crew.stations:
        station.close()
    before = await held(hub)
    assert before is not None
    hub.move_clock(before.next_ms / 1000 + 2)
    # As one that is killed with its probe: it claims, and settles nothing.
    (claim,) = (await hub.store.origins.claim(budget=9)).claims
    assert len(claim.members) == 1
    await receivers.open()
    hub.start_crew()
    hub.move_clock(hub.settings.claim_lease_s + 2)
    await eventually(lambda: all(c.deliveries for c in callbacks), 15)
