"""Slow receivers: nobody waits for them, and none gets a second copy (design 3: patience)."""

import asyncio
from itertools import pairwise

from hub.clock import monotonic_s
from hub.protocol.requests import Mode
from tests.workers.conftest import StartHub
from tests.workers.feeds import ATOM, atom, entries_of
from tests.workers.hub_in_process import Hub
from tests.workers.sites import Callback, Reply, Site, Topic
from tests.workers.waiting import eventually

# Past the patience of these tests (0.3 s), within their deadline (2 s).
SLOW = Reply(delay_s=1)
HANG = Reply(end="hang")
FLIGHT_OVER_S = 10


async def followed(hub: Hub, site: Site, *names: str) -> tuple[Topic, list[Callback]]:
    topic = site.topic("/t", atom("e0"), ATOM)
    callbacks = [site.callback(f"/{name}") for name in names]
    await asyncio.gather(*(hub.subscribe(topic, callback) for callback in callbacks))
    return topic, callbacks


async def publish(hub: Hub, topic: Topic, number: int) -> None:
    await hub.publish_event(topic, atom(*(f"e{n}" for n in range(number, -1, -1))))


def entries(callback: Callback) -> list[list[str]]:
    return [sorted(entries_of(delivery.body)) for delivery in callback.deliveries]


def is_in_flight(hub: Hub, topic: Topic, callback: Callback) -> bool:
    progress = hub.progress(topic, callback)
    return progress is not None and progress.flight_until_ms > 0


async def test_a_slow_receiver_gets_each_event_once_and_delays_nobody(hub: Hub, site: Site) -> None:
    topic, (slow, quick) = await followed(hub, site, "slow", "quick")
    slow.otherwise = SLOW
    for number in range(1, 5):
        await publish(hub, topic, number)
        began_s = monotonic_s()
        await quick.wait_for(number)
        assert monotonic_s() - began_s < 0.8
    await hub.until_up_to_date(topic, slow, quick)
    got = [name for names in entries(slow) for name in names]
    assert got == ["e1", "e2", "e3", "e4"]
    assert len(entries(slow)) < 4
    assert entries(quick) == [["e1"], ["e2"], ["e3"], ["e4"]]
    assert hub.attempts(topic, slow) == 0


async def test_who_hangs_is_in_flight_until_its_deadline_and_then_has_failed(
    hub: Hub, site: Site
) -> None:
    topic, (hanging, quick) = await followed(hub, site, "hanging", "quick")
    hanging.otherwise = HANG
    await publish(hub, topic, 1)
    await eventually(lambda: is_in_flight(hub, topic, hanging), 1)
    progress, (seconds, _) = hub.progress(topic, hanging), hub.redis.time()
    assert progress is not None
    # Its deadline (2 s), less the patience, and 5 s more.
    assert 5 < progress.flight_until_ms / 1000 - seconds < 8
    await publish(hub, topic, 2)
    await quick.wait_for(2, within_s=0.7)
    assert len(hanging.deliveries) == 1
    await hub.until_failed(topic, hanging, 1)
    assert not is_in_flight(hub, topic, hanging)
    hanging.otherwise = Reply()
    hub.move_clock(FLIGHT_OVER_S)
    await hub.until_up_to_date(topic, hanging)
    assert entries(hanging) == [["e1"], ["e1", "e2"]]


async def test_patience_is_short_where_a_newer_event_waits(start_hub: StartHub, site: Site) -> None:
    hub = await start_hub(patience_s=1.8, patience_newer_s=0.2)
    topic, (hanging, quick) = await followed(hub, site, "hanging", "quick")
    hanging.otherwise = HANG
    await publish(hub, topic, 1)
    await publish(hub, topic, 2)
    await quick.wait_for(2, within_s=1)


async def test_patience_ends_when_a_newer_event_comes(start_hub: StartHub, site: Site) -> None:
    hub = await start_hub(
        patience_s=14, patience_newer_s=0.2, request_deadline_s=15, claim_lease_s=60
    )
    topic, (hanging, quick) = await followed(hub, site, "hanging", "quick")
    hanging.otherwise = HANG
    await publish(hub, topic, 1)
    await quick.wait_for(1)
    # Past the first look for one.
    await asyncio.sleep(0.5)
    await publish(hub, topic, 2)
    await quick.wait_for(2, within_s=10)


async def test_who_failed_the_last_time_holds_up_nobodys_newer_event(
    start_hub: StartHub, site: Site
) -> None:
    hub = await start_hub(
        patience_s=14, patience_newer_s=10, request_deadline_s=15, claim_lease_s=60
    )
    topic, (failing, quick) = await followed(hub, site, "failing", "quick")
    failing.replies.append(Reply(status=500))
    failing.otherwise = HANG
    await publish(hub, topic, 1)
    await hub.until_failed(topic, failing, 1)
    hub.move_clock(FLIGHT_OVER_S)
    await failing.wait_for(2)
    await publish(hub, topic, 2)
    await quick.wait_for(2, within_s=5)
    assert is_in_flight(hub, topic, failing)


async def test_a_late_success_moves_the_cursor(hub: Hub, site: Site) -> None:
    topic, (slow,) = await followed(hub, site, "slow")
    slow.replies.append(SLOW)
    await publish(hub, topic, 1)
    await eventually(lambda: is_in_flight(hub, topic, slow), 1)
    await hub.until_up_to_date(topic, slow)
    assert not is_in_flight(hub, topic, slow)
    hub.move_clock(FLIGHT_OVER_S)
    await publish(hub, topic, 2)
    await hub.until_up_to_date(topic, slow)
    assert entries(slow) == [["e1"], ["e2"]]


async def test_a_late_410_ends_the_subscription(hub: Hub, site: Site) -> None:
    topic, (slow, other) = await followed(hub, site, "slow", "other")
    slow.otherwise = Reply(status=410, delay_s=0.8)
    await publish(hub, topic, 1)
    await eventually(lambda: hub.progress(topic, slow) is None, 2)
    hub.move_clock(FLIGHT_OVER_S)
    await publish(hub, topic, 2)
    await other.wait_for(2)
    await hub.until_up_to_date(topic, other)
    assert len(slow.deliveries) == 1


async def test_a_late_failure_is_retried_by_the_schedule(hub: Hub, site: Site) -> None:
    topic, (slow,) = await followed(hub, site, "slow")
    slow.replies.append(Reply(status=500, delay_s=0.8))
    await publish(hub, topic, 1)
    await hub.until_failed(topic, slow, 1)
    hub.move_clock(FLIGHT_OVER_S)
    await hub.until_up_to_date(topic, slow)
    assert entries(slow) == [["e1"], ["e1"]]


async def test_no_newer_request_is_started_while_one_is_in_flight(hub: Hub, site: Site) -> None:
    """Invariant 3."""
    topic, (slow,) = await followed(hub, site, "slow")
    slow.otherwise = SLOW
    for number in range(1, 8):
        await publish(hub, topic, number)
        await asyncio.sleep(0.1)
    await hub.until_up_to_date(topic, slow)
    starts = [delivery.at_s for delivery in slow.deliveries]
    for before, after in pairwise(starts):
        assert after - before >= 0.99
    got = [name for names in entries(slow) for name in names]
    assert got == [f"e{n}" for n in range(1, 8)]


async def test_a_renewal_in_flight_starts_no_second_request_and_gets_the_event_again(
    hub: Hub, site: Site
) -> None:
    """Fine print 3: a result of an older incarnation ends the flight and writes nothing else."""
    topic, (slow,) = await followed(hub, site, "slow")
    slow.replies.append(Reply(delay_s=1.2))
    await publish(hub, topic, 1)
    await eventually(lambda: is_in_flight(hub, topic, slow), 1)
    await hub.subscribe(topic, slow, secret=b"new")
    assert is_in_flight(hub, topic, slow)
    await slow.wait_for(2)
    await hub.until_up_to_date(topic, slow)
    first, second = slow.deliveries
    assert second.at_s - first.at_s >= 1.2
    assert first.header("x-hub-signature") is None
    assert second.header("x-hub-signature") is not None


async def test_a_410_meant_for_the_old_subscription_leaves_the_renewed_one(
    hub: Hub, site: Site
) -> None:
    topic, (slow,) = await followed(hub, site, "slow")
    slow.replies.append(Reply(status=410, delay_s=1))
    await publish(hub, topic, 1)
    await eventually(lambda: is_in_flight(hub, topic, slow), 1)
    await hub.subscribe(topic, slow)
    await hub.until_up_to_date(topic, slow)
    assert entries(slow) == [["e1"], ["e1"]]


async def test_who_left_in_flight_and_comes_back_starts_at_the_head(hub: Hub, site: Site) -> None:
    """Fine print 5."""
    topic, (slow,) = await followed(hub, site, "slow")
    slow.replies.append(Reply(delay_s=1))
    await publish(hub, topic, 1)
    await eventually(lambda: is_in_flight(hub, topic, slow), 1)
    await hub.until_settled(await hub.request(Mode.UNSUBSCRIBE, topic, slow))
    await hub.subscribe(topic, slow)
    await publish(hub, topic, 2)
    await hub.until_up_to_date(topic, slow)
    assert entries(slow) == [["e1"], ["e2"]]
    assert slow.deliveries[1].at_s - slow.deliveries[0].at_s >= 1


async def test_one_slow_receiver_does_not_keep_a_worker_from_other_buckets(
    start_hub: StartHub, site: Site
) -> None:
    hub = await start_hub(
        limits={"bucket_size": 2}, requests_at_once=2, patience_s=1.5, patience_newer_s=0.1
    )
    topic, callbacks = await followed(hub, site, "a", "b", "c", "d", "e", "f")
    callbacks[0].otherwise = HANG
    await publish(hub, topic, 1)
    began_s = monotonic_s()
    for callback in callbacks[1:]:
        await callback.wait_for(1, within_s=1)
    assert monotonic_s() - began_s < 1


async def test_who_finds_no_slot_for_the_slow_keeps_its_claim(
    start_hub: StartHub, site: Site
) -> None:
    hub = await start_hub(late_requests_at_once=1)
    first, second = (site.topic(f"/t{n}", b"1") for n in range(2))
    slow = site.callback("/slow")
    for topic in (first, second):
        await hub.subscribe(topic, slow)
    slow.otherwise = Reply(delay_s=1.2)
    await hub.publish_event(first, b"2")
    await eventually(lambda: is_in_flight(hub, first, slow), 1)
    await hub.publish_event(second, b"2")
    await slow.wait_for(2)
    await asyncio.sleep(0.6)
    assert not is_in_flight(hub, second, slow)
    await hub.until_up_to_date(second, slow)


async def test_more_slow_ones_than_slots_do_not_stop_a_worker(
    start_hub: StartHub, site: Site
) -> None:
    hub = await start_hub(late_requests_at_once=1)
    topics = [site.topic(f"/t{n}", b"1") for n in range(6)]
    last, slow, middling = site.topic("/last", b"1"), site.callback("/s"), site.callback("/m")
    await asyncio.gather(*(hub.subscribe(topic, slow) for topic in topics))
    await hub.subscribe(last, middling)
    slow.otherwise = Reply(delay_s=1.2)
    # After the short patience, and before the long one is over.
    middling.otherwise = Reply(delay_s=0.2)
    for topic in topics:
        topic.body = b"2"
    await hub.ping(*topics)
    await eventually(lambda: any(is_in_flight(hub, topic, slow) for topic in topics), 1)
    await hub.publish_event(last, b"2")
    await hub.until_up_to_date(last, middling)
    for topic in topics:
        await hub.until_up_to_date(topic, slow)
    assert hub.crews[0]._deliverer.slots.free == 1
