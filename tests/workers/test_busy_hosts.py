"""A host with more to get than it may get at once (fine print 6; design section 7)."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from hub.clock import monotonic_s
from hub.protocol.requests import Mode
from tests.workers.conftest import StartHub
from tests.workers.hub_in_process import Hub
from tests.workers.sites import Callback, Reply, Site, Topic
from tests.workers.waiting import eventually

HANG = Reply(end="hang")
AT_ONCE = 2


@pytest.fixture
async def other_site() -> AsyncIterator[Site]:
    async with Site().open() as opened:
        yield opened


async def followed(
    hub: Hub, site: Site, count: int, otherwise: Reply
) -> tuple[Topic, list[Callback]]:
    """A topic with so many subscribers, who answer deliveries like this."""
    topic = site.topic("/t", b"1")
    callbacks = [site.callback(f"/c{number}") for number in range(count)]
    await asyncio.gather(*(hub.subscribe(topic, callback) for callback in callbacks))
    for callback in callbacks:
        callback.otherwise = otherwise
    return topic, callbacks


def told(lines: Sequence[EventDict], event: str) -> list[EventDict]:
    return [line for line in lines if line["event"] == event]


def tries(callbacks: list[Callback]) -> int:
    return sum(len(callback.deliveries) for callback in callbacks)


async def test_who_had_no_turn_is_not_tried_and_nothing_is_counted_against_it(
    start_hub: StartHub, site: Site
) -> None:
    hub = await start_hub(requests_at_once_per_host=AT_ONCE)
    topic, callbacks = await followed(hub, site, 6, HANG)
    await hub.publish(topic, b"2")
    await eventually(lambda: tries(callbacks) == AT_ONCE, 2)
    # Their deadline of 2 s makes room for others, and a rest of 2 s is over by then.
    await eventually(lambda: tries(callbacks) >= 2 * AT_ONCE, 5)
    assert tries(callbacks) <= 2 * AT_ONCE
    for callback in callbacks:
        assert hub.attempts(topic, callback) <= len(callback.deliveries)
        callback.otherwise = Reply()
    hub.move_clock(30)
    await hub.until_up_to_date(topic, *callbacks)


async def test_nothing_is_started_once_its_bucket_is_settled(
    start_hub: StartHub, site: Site
) -> None:
    hub = await start_hub(requests_at_once_per_host=AT_ONCE)
    # Turns come all the time, but not enough of them within the patience of 0.3 s.
    topic, callbacks = await followed(hub, site, 24, Reply(delay_s=0.1))
    (crew,) = hub.crews
    await hub.publish_event(topic, b"2")
    await eventually(lambda: tries(callbacks) > 0, 2)
    crew.deliver.close()
    await crew.deliver.finish()
    tried = tries(callbacks)
    await asyncio.sleep(0.5)
    assert AT_ONCE <= tries(callbacks) <= tried + AT_ONCE < len(callbacks)


async def test_who_had_no_turn_waits_alone(
    start_hub: StartHub, site: Site, other_site: Site
) -> None:
    """The others of the bucket get each event as it comes."""
    hub = await start_hub(requests_at_once_per_host=AT_ONCE, patience_s=0.2)
    topic, callbacks = await followed(hub, site, 4, HANG)
    quick = other_site.callback("/quick")
    await hub.subscribe(topic, quick)
    for number in range(1, 4):
        await hub.publish_event(topic, b"event %d" % number)
        await quick.wait_for(number)
    waiting = [callback for callback in callbacks if not callback.deliveries]
    assert len(waiting) == len(callbacks) - AT_ONCE

    def rests(callback: Callback) -> bool:
        progress, (seconds, _) = hub.progress(topic, callback), hub.redis.time()
        return progress is not None and 0 < progress.flight_until_ms <= (seconds + 3) * 1000

    await eventually(lambda: all(map(rests, waiting)), 5)
    assert [hub.attempts(topic, callback) for callback in waiting] == [0] * len(waiting)
    for callback in callbacks:
        callback.otherwise = Reply()
    hub.move_clock(60)
    await hub.until_up_to_date(topic, *callbacks)


async def test_a_host_that_answers_nobody_is_held_with_those_who_had_no_turn(
    start_hub: StartHub, site: Site
) -> None:
    hub = await start_hub(
        limits={"bucket_size": 4}, requests_at_once_per_host=3, request_deadline_s=15,
        claim_lease_s=60,
    )  # fmt: skip
    topic, callbacks = await followed(hub, site, 16, HANG)
    with capture_logs() as lines:
        await hub.publish_event(topic, b"2")
        await eventually(lambda: bool(told(lines, "breaker open")), 10)
    (line,) = told(lines, "breaker open")
    assert (line["origin"], line["why"]) == (site.url, "nobody succeeds there")
    # Long before the first of them has failed.
    assert [hub.attempts(topic, callback) for callback in callbacks] == [0] * 16
    assert tries(callbacks) == 3


@pytest.mark.parametrize("hanging", [0, 4])
async def test_a_busy_host_that_answers_is_not_held_whoever_hangs_there(
    start_hub: StartHub, site: Site, hanging: int
) -> None:
    hub = await start_hub(
        limits={"bucket_size": 10, "rest": 200}, requests_at_once_per_host=8, patience_s=0.5,
        request_deadline_s=15, claim_lease_s=60,
    )  # fmt: skip
    topic, callbacks = await followed(hub, site, 60, Reply(delay_s=0.25))
    for callback in callbacks[:hanging]:
        callback.otherwise = HANG
    with capture_logs() as lines:
        await hub.publish_event(topic, b"2")
        await hub.until_up_to_date(topic, *callbacks[hanging:])
    assert told(lines, "breaker open") == []
    assert [len(callback.deliveries) for callback in callbacks[hanging:]] == [1] * (60 - hanging)


async def test_a_host_that_is_slow_and_no_worse_is_let_go_by_each_answer(
    start_hub: StartHub, site: Site
) -> None:
    hub = await start_hub(
        limits={"bucket_size": 4, "release_interval": 50, "rest": 200}, requests_at_once_per_host=3,
        request_deadline_s=15, claim_lease_s=60,
    )  # fmt: skip
    topic, callbacks = await followed(hub, site, 9, Reply(delay_s=1.2))
    with capture_logs() as lines:
        await hub.publish_event(topic, b"2")
        await eventually(lambda: bool(told(lines, "breaker closed")), 10)
        await hub.until_up_to_date(topic, *callbacks)
    assert [len(callback.deliveries) for callback in callbacks] == [1] * 9
    assert [hub.attempts(topic, callback) for callback in callbacks] == [0] * 9
    assert told(lines, "breaker open")


async def test_a_busy_host_takes_no_capacity_from_others(
    start_hub: StartHub, site: Site, other_site: Site
) -> None:
    hub = await start_hub(
        limits={"bucket_size": 4},
        requests_at_once=4,
        requests_at_once_per_host=AT_ONCE,
        patience_s=1.9,
    )
    topic, callbacks = await followed(hub, site, 16, HANG)
    other, quick = other_site.topic("/t", b"1"), other_site.callback("/quick")
    await hub.subscribe(other, quick)
    await hub.publish(topic, b"2")
    await eventually(lambda: tries(callbacks) == AT_ONCE, 2)
    for number in range(2, 5):
        began_s = monotonic_s()
        await hub.publish(other, b"%d" % number)
        await quick.wait_for(number - 1)
        assert monotonic_s() - began_s < 1


async def test_a_subscription_is_verified_while_deliveries_wait_at_its_host(
    start_hub: StartHub, site: Site
) -> None:
    hub = await start_hub(requests_at_once_per_host=AT_ONCE)
    topic, callbacks = await followed(hub, site, 6, HANG)
    await hub.publish(topic, b"2")
    await eventually(lambda: tries(callbacks) == AT_ONCE, 2)
    began_s = monotonic_s()
    await hub.subscribe(topic, site.callback("/new"))
    assert monotonic_s() - began_s < 1.5


async def test_a_host_that_answers_gets_a_whole_bucket_in_one_claim(
    start_hub: StartHub, site: Site
) -> None:
    hub = await start_hub(requests_at_once_per_host=AT_ONCE, patience_s=1.9)
    topic, callbacks = await followed(hub, site, 24, Reply(delay_s=0.05))
    (crew,) = hub.crews
    await hub.publish_event(topic, b"2")
    await eventually(lambda: tries(callbacks) > 0, 2)
    # What is claimed already goes on; nothing is claimed again.
    crew.deliver.close()
    await crew.deliver.finish()
    assert tries(callbacks) == len(callbacks)
    await hub.until_up_to_date(topic, *callbacks)


async def test_callbacks_that_hang_hold_up_nobody_elses_verification(
    start_hub: StartHub, site: Site, other_site: Site
) -> None:
    hub = await start_hub(requests_at_once=AT_ONCE, requests_at_once_per_host=AT_ONCE)
    topic, known = site.topic("/t", b"1"), site.callback("/known")
    await hub.subscribe(topic, known)
    hanging = [site.callback(f"/c{number}") for number in range(12)]
    for callback in hanging:
        callback.verify.extend([HANG] * 9)
    await asyncio.gather(*(hub.request(Mode.SUBSCRIBE, topic, c) for c in hanging))
    await eventually(lambda: sum(len(c.verifications) for c in hanging) >= AT_ONCE, 2)
    began_s = monotonic_s()
    await hub.subscribe(topic, other_site.callback("/quick"))
    assert monotonic_s() - began_s < 1.5


async def test_topics_that_hang_hold_up_no_other_fetch(
    start_hub: StartHub, site: Site, other_site: Site
) -> None:
    hub = await start_hub(fetches_at_once=AT_ONCE, requests_at_once_per_host=AT_ONCE)
    other, quick = other_site.topic("/t", b"1"), other_site.callback("/quick")
    await hub.subscribe(other, quick)
    hanging = [site.topic(f"/t{number}") for number in range(12)]
    for number, topic in enumerate(hanging):
        topic.reply = HANG
        await hub.request(Mode.SUBSCRIBE, topic, site.callback(f"/c{number}"))
    await eventually(lambda: sum(len(topic.fetches) for topic in hanging) >= AT_ONCE, 2)
    began_s = monotonic_s()
    await hub.publish(other, b"2")
    await quick.wait_for(1)
    assert monotonic_s() - began_s < 1.5


@pytest.mark.parametrize("slots", [1, 100])
async def test_what_is_slow_is_done_all_the_same(
    start_hub: StartHub, site: Site, slots: int
) -> None:
    """With slots for requests past patience, and without: they then keep their part of the work."""
    hub = await start_hub(fetches_at_once=2, late_requests_at_once=slots)
    topics = [site.topic(f"/t{number}", b"1") for number in range(4)]
    callbacks = [site.callback(f"/c{number}") for number in range(4)]
    for topic, callback in zip(topics, callbacks, strict=True):
        topic.delay_s = 0.4
        callback.confirm_after_s.append(0.4)
    pairs = list(zip(topics, callbacks, strict=True))
    await asyncio.gather(*(hub.subscribe(topic, callback) for topic, callback in pairs))
    for topic in topics:
        topic.body = b"2"
    await hub.ping(*topics)
    for callback in callbacks:
        await callback.wait_for(1)
    (crew,) = hub.crews
    stations = (crew.fetch, crew.verify)
    await eventually(lambda: all(station._free == 2 for station in stations), 3)


async def test_a_fetch_that_had_no_turn_rests(start_hub: StartHub, site: Site) -> None:
    hub = await start_hub(requests_at_once_per_host=1)
    topics = [site.topic(f"/t{number}") for number in range(3)]
    for number, topic in enumerate(topics):
        topic.reply = HANG
        await hub.request(Mode.SUBSCRIBE, topic, site.callback(f"/c{number}"))
    await eventually(lambda: sum(len(topic.fetches) for topic in topics) == 1, 2)
    waiting = [topic for topic in topics if not topic.fetches]

    def rests() -> bool:
        return all(0.5 < (hub.due_in_s(topic, "pinged") or 0) <= 2 for topic in waiting)

    await eventually(rests, 2)
    assert all("failures" not in hub.facts(topic) for topic in waiting)


async def test_a_verification_that_had_no_turn_rests_and_is_not_counted(
    start_hub: StartHub, site: Site
) -> None:
    hub = await start_hub(requests_at_once_per_host=1)
    topic, callbacks = site.topic("/t", b"1"), [site.callback(f"/c{n}") for n in range(3)]
    await hub.subscribe(topic, site.callback("/first"))
    for callback in callbacks:
        callback.verify.append(HANG)
    numbers = [await hub.request(Mode.SUBSCRIBE, topic, callback) for callback in callbacks]
    await eventually(lambda: sum(len(callback.verifications) for callback in callbacks) == 1, 2)
    pairs = zip(numbers, callbacks, strict=True)
    waiting = [number for number, callback in pairs if not callback.verifications]

    def rest() -> bool:
        now_s = hub.redis.time()[0]
        times = [hub.redis.zscore(hub.key("wl:unverified"), number) for number in waiting]
        claims = [hub.redis.hget(hub.key("wl:unverified:claims"), number) for number in waiting]
        return claims == [None, None] and all(1 < t / 1000 - now_s <= 3 for t in times)

    await eventually(rest, 2)
    tries = [hub.redis.hget(hub.key(f"request:{number}"), "tries") for number in waiting]
    assert all(int(count or 0) == 0 for count in tries)
