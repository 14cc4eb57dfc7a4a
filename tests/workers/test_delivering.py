"""From an event to each receiver: in order, nothing twice, nothing missed (design 3 and 7)."""

import asyncio
import itertools
import json

import pytest
from structlog.testing import capture_logs

from hub.protocol.requests import Content
from hub.protocol.urls import topic_id
from tests.workers.conftest import StartHub
from tests.workers.feeds import ATOM, JSON, atom, entries_of, json_feed
from tests.workers.hub_in_process import Hub
from tests.workers.sites import Callback, Heard, Reply, Site, Topic
from tests.workers.waiting import eventually

FAIL = Reply(status=500)
SURELY_DUE_S = 7


async def followed(hub: Hub, site: Site, *names: str) -> tuple[Topic, list[Callback]]:
    topic = site.topic("/t", atom("e0"), ATOM)
    callbacks = [site.callback(f"/{name}") for name in names]
    await asyncio.gather(*(hub.subscribe(topic, callback) for callback in callbacks))
    return topic, callbacks


async def publish_entries(hub: Hub, topic: Topic, *numbers: int) -> None:
    """Publishes these entries one by one, each when the one before is an event."""
    for number in numbers:
        await hub.publish_event(topic, atom(*(f"e{n}" for n in range(number, -1, -1))))


def entries(deliveries: list[Heard]) -> list[list[str]]:
    return [sorted(entries_of(delivery.body)) for delivery in deliveries]


def ids(deliveries: list[Heard]) -> list[tuple[int, ...]]:
    """The last event of each delivery, as numbers."""
    last = [(d.header("webhook-id") or "").rpartition("..")[2] for d in deliveries]
    return [tuple(map(int, text.split("-"))) for text in last]


class TestEveryReceiver:
    async def test_all_get_every_event_once_and_in_order(self, hub: Hub, site: Site) -> None:
        topic, callbacks = await followed(hub, site, "a", "b", "c")
        for number in range(1, 6):
            await publish_entries(hub, topic, number)
            await hub.until_up_to_date(topic, *callbacks)
        for callback in callbacks:
            assert entries(callback.deliveries) == [[f"e{n}"] for n in range(1, 6)]

    async def test_a_topic_of_many_buckets_reaches_everybody_once(
        self, start_hub: StartHub, site: Site
    ) -> None:
        hub = await start_hub(limits={"bucket_size": 3}, requests_at_once=4)
        topic, callbacks = await followed(hub, site, *(f"c{n}" for n in range(20)))
        await publish_entries(hub, topic, 1, 2)
        await hub.until_up_to_date(topic, *callbacks)
        for callback in callbacks:
            got = list(itertools.chain.from_iterable(entries(callback.deliveries)))
            assert got == ["e1", "e2"]

    async def test_two_workers_deliver_exactly_once(self, start_hub: StartHub, site: Site) -> None:
        hub = await start_hub(crews=2, limits={"bucket_size": 2}, requests_at_once=2)
        topic, callbacks = await followed(hub, site, *(f"c{n}" for n in range(8)))
        for number in range(1, 11):
            await publish_entries(hub, topic, number)
        await hub.until_up_to_date(topic, *callbacks)
        for callback in callbacks:
            got = list(itertools.chain.from_iterable(entries(callback.deliveries)))
            assert sorted(got) == sorted(f"e{n}" for n in range(1, 11))
            assert ids(callback.deliveries) == sorted(set(ids(callback.deliveries)))

    async def test_distinct_places_in_the_log_get_distinct_bodies(
        self, hub: Hub, site: Site
    ) -> None:
        """Fine print 11: more places than a claim has bodies for, all served in the end."""
        topic, callbacks = await followed(hub, site, *(f"c{n}" for n in range(11)))
        for number, callback in enumerate(callbacks, 1):
            callback.otherwise = FAIL
            await publish_entries(hub, topic, number)
            healthy = callbacks[number:]
            await hub.until_up_to_date(topic, *healthy)
            await hub.until_failed(topic, callback, 1)
        for callback in callbacks:
            callback.otherwise = Reply()
            callback.deliveries.clear()
        with capture_logs() as logs:
            hub.move_clock(SURELY_DUE_S)
            await hub.until_up_to_date(topic, *callbacks)
        assert max(line.get("reached", 0) for line in logs) == 8
        for number, callback in enumerate(callbacks, 1):
            assert entries(callback.deliveries) == [sorted(f"e{n}" for n in range(number, 12))]


class TestWhoFails:
    async def test_who_missed_five_events_gets_them_in_one_post(self, hub: Hub, site: Site) -> None:
        topic, (healthy, failing) = await followed(hub, site, "healthy", "failing")
        failing.otherwise = FAIL
        await publish_entries(hub, topic, 1, 2, 3, 4, 5)
        await hub.until_up_to_date(topic, healthy)
        await hub.until_failed(topic, failing, 1)
        first, last = ids(healthy.deliveries)[0], ids(healthy.deliveries)[-1]
        failing.otherwise = Reply()
        failing.deliveries.clear()
        hub.move_clock(SURELY_DUE_S)
        await hub.until_up_to_date(topic, failing)
        (delivery,) = failing.deliveries
        assert sorted(entries_of(delivery.body)) == ["e1", "e2", "e3", "e4", "e5"]
        name = "{}-{}..{}-{}".format(*first, *last)
        assert delivery.header("webhook-id") == name
        assert entries(healthy.deliveries) == [[f"e{n}"] for n in range(1, 6)]

    async def test_who_is_due_when_an_event_comes_gets_what_it_missed_with_it(
        self, start_hub: StartHub, site: Site
    ) -> None:
        hub = await start_hub(limits={"look_again": 1000})
        topic, (healthy, failing) = await followed(hub, site, "healthy", "failing")
        failing.replies.append(FAIL)
        await publish_entries(hub, topic, 1)
        await hub.until_failed(topic, failing, 1)
        await hub.until_up_to_date(topic, healthy)
        # Nobody looks at the list for a second, so that the append finds it due.
        hub.move_clock(SURELY_DUE_S)
        await publish_entries(hub, topic, 2)
        await hub.until_up_to_date(topic, healthy, failing)
        assert entries(healthy.deliveries) == [["e1"], ["e2"]]
        assert [n for names in entries(failing.deliveries[1:]) for n in names] == ["e1", "e2"]

    async def test_it_is_tried_ever_later(self, hub: Hub, site: Site) -> None:
        topic, (failing,) = await followed(hub, site, "failing")
        failing.otherwise = FAIL
        await publish_entries(hub, topic, 1)
        for attempts, (least_s, most_s) in enumerate([(4, 6), (24, 36), (96, 144), (480, 720)], 1):
            await hub.until_failed(topic, failing, attempts)
            progress = hub.progress(topic, failing)
            assert progress is not None
            delay_s = (progress.next_at_ms - progress.last_at_ms) / 1000
            assert least_s <= delay_s <= most_s
            assert progress.error == "status 500"
            assert len(failing.deliveries) == attempts
            hub.move_clock(most_s)
        assert len({delivery.body for delivery in failing.deliveries}) == 1

    async def test_a_new_event_is_tried_ten_minutes_after_the_last_attempt(
        self, hub: Hub, site: Site
    ) -> None:
        """Invariant 3: at the earlier of its own time and 10 minutes after its last attempt."""
        topic, (failing,) = await followed(hub, site, "failing")
        failing.otherwise = FAIL
        await publish_entries(hub, topic, 1)
        for attempts in range(1, 6):
            await hub.until_failed(topic, failing, attempts)
            hub.move_clock(40 * 60)
        await hub.until_failed(topic, failing, 6)
        await publish_entries(hub, topic, 2)
        hub.move_clock(590)
        other = site.callback("/other")
        await hub.subscribe(topic, other)
        await publish_entries(hub, topic, 3)
        await hub.until_up_to_date(topic, other)
        assert len(failing.deliveries) == 6
        failing.otherwise = Reply()
        hub.move_clock(11)
        await hub.until_up_to_date(topic, failing)
        assert entries(failing.deliveries)[6:] == [["e1", "e2", "e3"]]

    async def test_retry_after_is_honoured_for_new_events_too(self, hub: Hub, site: Site) -> None:
        topic, (failing, other) = await followed(hub, site, "failing", "other")
        failing.replies.append(Reply(status=503, fields=(("Retry-After", "1000"),)))
        await publish_entries(hub, topic, 1)
        await hub.until_failed(topic, failing, 1)
        hub.move_clock(990)
        await publish_entries(hub, topic, 2)
        await hub.until_up_to_date(topic, other)
        assert len(failing.deliveries) == 1
        hub.move_clock(11)
        await hub.until_up_to_date(topic, failing)
        assert entries(failing.deliveries)[1:] == [["e1", "e2"]]

    async def test_a_success_after_failures_starts_the_schedule_anew(
        self, hub: Hub, site: Site
    ) -> None:
        topic, (failing,) = await followed(hub, site, "failing")
        failing.replies.extend([FAIL, FAIL])
        await publish_entries(hub, topic, 1)
        for attempts in (1, 2):
            await hub.until_failed(topic, failing, attempts)
            hub.move_clock(37)
        await hub.until_failed(topic, failing, 0)
        assert len(failing.deliveries) == 3

    @pytest.mark.parametrize("status", [200, 201, 202, 204, 206, 299])
    async def test_any_2xx_is_success(self, hub: Hub, site: Site, status: int) -> None:
        topic, (callback,) = await followed(hub, site, "c")
        callback.otherwise = Reply(status=status)
        await publish_entries(hub, topic, 1)
        await hub.until_up_to_date(topic, callback)
        assert len(callback.deliveries) == 1

    async def test_the_body_of_an_answer_means_nothing(self, hub: Hub, site: Site) -> None:
        topic, (callback,) = await followed(hub, site, "c")
        callback.otherwise = Reply(body=b"error" * 1_000_000)
        await publish_entries(hub, topic, 1, 2)
        await hub.until_up_to_date(topic, callback)
        assert entries(callback.deliveries) == [["e1"], ["e2"]]

    async def test_410_ends_the_subscription(self, hub: Hub, site: Site) -> None:
        topic, (gone, other) = await followed(hub, site, "gone", "other")
        gone.otherwise = Reply(status=410)
        await publish_entries(hub, topic, 1)
        await eventually(lambda: hub.progress(topic, gone) is None, 3)
        hub.move_clock(3000)
        await publish_entries(hub, topic, 2)
        await hub.until_up_to_date(topic, other)
        assert len(gone.deliveries) == 1

    @pytest.mark.parametrize("reply", [Reply(end="close"), Reply(end="reset")], ids=repr)
    async def test_a_broken_connection_is_a_failure(
        self, hub: Hub, site: Site, reply: Reply
    ) -> None:
        topic, (callback,) = await followed(hub, site, "c")
        callback.otherwise = reply
        await publish_entries(hub, topic, 1)
        await hub.until_failed(topic, callback, 1)
        callback.otherwise = Reply()
        hub.move_clock(SURELY_DUE_S)
        await hub.until_up_to_date(topic, callback)


class TestHistory:
    async def test_who_is_behind_what_was_trimmed_gets_the_whole_document(
        self, start_hub: StartHub, site: Site
    ) -> None:
        """Invariant 7: never a silent hole."""
        hub = await start_hub(limits={"history_events": 2})
        topic, (healthy, failing) = await followed(hub, site, "healthy", "failing")
        failing.otherwise = FAIL
        await publish_entries(hub, topic, 1, 2, 3, 4)
        await hub.until_up_to_date(topic, healthy)
        await hub.until_failed(topic, failing, 1)
        failing.otherwise = Reply()
        hub.move_clock(SURELY_DUE_S)
        await hub.until_up_to_date(topic, failing)
        assert failing.deliveries[-1].body == topic.body

    async def test_who_wants_whole_feeds_gets_the_newest_once(self, hub: Hub, site: Site) -> None:
        topic = site.topic("/t", atom("e0"), ATOM)
        full = site.callback("/full")
        await hub.subscribe(topic, full, content=Content.FULL)
        full.otherwise = FAIL
        await publish_entries(hub, topic, 1, 2, 3)
        await hub.until_failed(topic, full, 1)
        full.otherwise = Reply()
        hub.move_clock(SURELY_DUE_S)
        await hub.until_up_to_date(topic, full)
        assert full.deliveries[-1].body == topic.body
        assert ".." in (full.deliveries[-1].header("webhook-id") or "")

    async def test_who_wants_the_items_of_a_json_feed_gets_those_it_missed_in_one(
        self, hub: Hub, site: Site
    ) -> None:
        topic = site.topic("/t", json_feed("a"), JSON)
        contents = (None, Content.FULL, Content.ENTRIES)
        callbacks = {content: site.callback(f"/{content}") for content in contents}
        for content, callback in callbacks.items():
            await hub.subscribe(topic, callback, content=content)
            callback.otherwise = FAIL
        for body in (json_feed("b", "a"), json_feed("c", "b=B", "a"), json_feed("d", title="t")):
            await hub.publish_event(topic, body)
        for callback in callbacks.values():
            await hub.until_failed(topic, callback, 1)
            callback.otherwise = Reply()
        hub.move_clock(SURELY_DUE_S)
        await hub.until_up_to_date(topic, *callbacks.values())
        last = {content: callback.deliveries[-1] for content, callback in callbacks.items()}
        merged = json.loads(json_feed("d", "c", "b=B", title="t"))
        assert json.loads(last[Content.ENTRIES].body) == merged
        assert last[None].body == last[Content.FULL].body == topic.body
        assert len({delivery.header("webhook-id") for delivery in last.values()}) == 1
        assert ".." in (last[None].header("webhook-id") or "")

    async def test_events_that_cannot_stand_in_one_document_follow_each_other_at_once(
        self, hub: Hub, site: Site
    ) -> None:
        """Fine print 7: the longest run of equal context first, the rest at once."""
        topic, (failing,) = await followed(hub, site, "failing")
        failing.otherwise = FAIL
        await publish_entries(hub, topic, 1)
        await hub.until_failed(topic, failing, 1)
        french = atom("e2", "e1", "e0").replace(b"<feed ", b'<feed xml:lang="fr" ')
        await hub.publish_event(topic, french)
        failing.otherwise = Reply()
        failing.deliveries.clear()
        hub.move_clock(SURELY_DUE_S)
        await hub.until_up_to_date(topic, failing)
        assert entries(failing.deliveries)[0] == ["e1"]
        assert b"fr" not in failing.deliveries[0].body
        assert "e2" in entries(failing.deliveries)[1]
        assert len(failing.deliveries) == 2

    async def test_who_wants_whole_feeds_needs_nothing_of_the_log_but_an_id(
        self, hub: Hub, site: Site
    ) -> None:
        topic, (healthy,) = await followed(hub, site, "healthy")
        full = site.callback("/full")
        await hub.subscribe(topic, full, content=Content.FULL)
        full.otherwise = FAIL
        await publish_entries(hub, topic, 1, 2)
        await hub.until_up_to_date(topic, healthy)
        await hub.until_failed(topic, full, 1)
        log = hub.key(f"log:{topic_id(topic.url)}")
        (first, _), (second, event) = hub.redis.xrange(log)
        hub.redis.delete(log)
        hub.redis.xadd(log, {"e": b"?damaged"}, id=first)
        hub.redis.xadd(log, event, id=second)
        full.otherwise = Reply()
        with capture_logs() as logs:
            hub.move_clock(SURELY_DUE_S)
            await hub.until_up_to_date(topic, full)
        name = f"{first.decode()}..{second.decode()}"
        assert full.deliveries[-1].header("webhook-id") == name
        assert "log not readable" not in {line["event"] for line in logs}

    async def test_an_event_that_cannot_be_read_does_not_stop_the_rest_of_the_bucket(
        self, hub: Hub, site: Site
    ) -> None:
        topic, (healthy, behind) = await followed(hub, site, "healthy", "behind")
        behind.otherwise = FAIL
        await publish_entries(hub, topic, 1, 2)
        await hub.until_up_to_date(topic, healthy)
        await hub.until_failed(topic, behind, 1)
        log = hub.key(f"log:{topic_id(topic.url)}")
        (first, _), (second, event) = hub.redis.xrange(log)
        hub.redis.delete(log)
        hub.redis.xadd(log, {"e": b"?damaged"}, id=first)
        hub.redis.xadd(log, event, id=second)
        behind.otherwise = Reply()
        hub.move_clock(SURELY_DUE_S)
        await hub.until_up_to_date(topic, behind)
        assert behind.deliveries[-1].body == topic.body
        await publish_entries(hub, topic, 3)
        await hub.until_up_to_date(topic, healthy, behind)
        assert entries(healthy.deliveries)[-1] == ["e3"]


async def test_whoever_failed_is_tried_again_on_a_new_connection(
    start_hub: StartHub, site: Site
) -> None:
    """On a kept one that breaks, a receiver that falls over what it gets would get it twice."""
    hub = await start_hub()
    topic, falling, other = site.topic("/t", b"1"), site.callback("/f"), site.callback("/o")
    await hub.subscribe(topic, falling)
    await hub.subscribe(topic, other)
    falling.replies.append(Reply(status=500))
    falling.otherwise = Reply(end="close")
    await hub.publish(topic, b"2")
    await hub.until_failed(topic, falling, 1)
    tried = len(falling.deliveries)
    hub.move_clock(10)
    await hub.until_failed(topic, falling, 2)
    assert len(falling.deliveries) == tried + 1
