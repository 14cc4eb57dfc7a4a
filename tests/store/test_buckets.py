"""Buckets: how they fill, when they are due, what they cost (invariant 6, fine print 8)."""

import pytest

from hub.protocol.urls import subscription_id, topic_id
from hub.store.event_id import EventId
from hub.store.outcomes import Reached
from tests.store.conftest import SceneWith
from tests.store.scene import (
    ALL,
    NEWS,
    ONE,
    THREE,
    TOPIC,
    TWO,
    Scene,
    missed,
    pending,
)

MINUTE_MS = 60_000


class TestTheIndexOverBuckets:
    """Fine print 8: a topic is due when the first of its buckets is."""

    @pytest.fixture
    def small(self, scene_with: SceneWith) -> Scene:
        scene = scene_with(bucket_size=1, buckets_per_topic=1)
        scene.subscribe(ONE, TWO, THREE)
        return scene

    def test_all_buckets_are_due_after_an_event(self, small: Scene) -> None:
        small.publish()
        claims = small.claim_buckets()
        assert {claim.bucket for claim in claims} == {1, 2, 3}

    def test_the_rest_is_due_while_one_is_claimed(self, small: Scene) -> None:
        small.publish()
        (first,) = small.claim_buckets(budget=1)
        (second,) = small.claim_buckets(budget=1)
        assert first.bucket != second.bucket

    def test_the_time_of_one_bucket_does_not_hide_that_of_another(self, small: Scene) -> None:
        small.publish()
        claims = small.claim_buckets()
        for claim, delay_ms in zip(claims, (20_000, 5_000, 10_000), strict=True):
            small.settle(claim, missed(claim, delay_ms=delay_ms))
        due = []
        for _ in range(4):
            small.later(5_000)
            due.append([claim.bucket for claim in small.claim_buckets()])
        first, second, third = (claim.bucket for claim in claims)
        assert due == [[second], [third], [], [first]]

    def test_a_settled_bucket_waits_for_the_first_of_its_members(self, scene: Scene) -> None:
        scene.subscribe(ONE, TWO, THREE)
        scene.publish()
        claim = scene.claim_bucket()
        delays_ms = {ONE: 20_000, TWO: 5_000, THREE: 10_000}
        scene.settle(claim, {one: missed(claim, delay_ms=ms) for one, ms in delays_ms.items()})
        scene.later(5_000)
        assert scene.deliver() == {TWO}

    def test_a_bucket_with_nobody_due_waits_for_the_first_of_its_members(
        self, scene: Scene
    ) -> None:
        scene.subscribe(ONE, TWO, THREE)
        scene.publish()
        claim = scene.claim_bucket()
        delays_ms = {ONE: 20_000, TWO: 5_000, THREE: 10_000}
        scene.settle(claim, {one: missed(claim, delay_ms=ms) for one, ms in delays_ms.items()})
        scene.publish()
        assert scene.claim_buckets() == []
        due = []
        for _ in range(4):
            scene.later(5_000)
            due.append(scene.deliver())
        assert due == [{TWO}, {THREE}, set(), {ONE}]

    def test_a_lapsed_claim_makes_the_topic_due(self, small: Scene) -> None:
        small.publish()
        claims = small.claim_buckets()
        small.settle(claims[0], Reached(to=claims[0].head))
        small.later(30_000)
        assert len(small.claim_buckets()) == 2

    def test_a_topic_with_nothing_left_to_do_is_in_no_list(self, small: Scene) -> None:
        small.publish()
        small.deliver()
        assert small.redis.zcard(small.key("wl:ready")) == 0

    def test_a_late_end_makes_the_topic_due(self, small: Scene) -> None:
        """Fine print 9: an end Adds its bucket."""
        small.publish()
        for claim in small.claim_buckets():
            small.settle(claim, pending(claim))
        small.publish()
        assert small.claim_buckets() == []
        small.settle_late(claim, Reached(to=claim.head))
        (due,) = small.claim_buckets()
        assert due.bucket == claim.bucket


class TestManySubscriptions:
    """Invariant 6, and how buckets fill."""

    CALLBACKS = tuple(f"http://s.example/many/{number}" for number in range(600))

    @pytest.fixture
    def crowd(self, scene: Scene) -> Scene:
        scene.subscribe(*self.CALLBACKS)
        return scene

    @pytest.mark.slow
    def test_600_lie_in_3_buckets_and_all_are_reached(self, crowd: Scene) -> None:
        places = [crowd.place(callback) for callback in self.CALLBACKS]
        assert sorted(places.count(bucket) for bucket in (1, 2, 3)) == [88, 256, 256]
        crowd.publish()
        assert crowd.deliver() == set(self.CALLBACKS)

    @pytest.mark.slow
    def test_the_index_is_spread_over_shards(self, crowd: Scene) -> None:
        shards = [key for key in crowd.key_names() if key.startswith("index:")]
        assert 400 < len(shards) <= 600
        assert all(len(shard) == len("index:") + 3 for shard in shards)

    @pytest.mark.slow
    def test_a_bucket_costs_the_same_few_calls_whatever_it_holds(self, crowd: Scene) -> None:
        crowd.subscribe(ONE, topic=f"{TOPIC}/alone")
        crowd.publish()
        crowd.deliver()  # Redis has the scripts now
        spent = []
        for topic, members in ((TOPIC, 256), (f"{TOPIC}/alone", 1)):
            crowd.publish(topic)
            before = self._calls(crowd)
            claim = max(crowd.claim_buckets(), key=lambda one: len(one.members))
            assert len(claim.members) == members
            assert crowd.settle(claim, Reached(to=claim.head))
            spent.append(self._calls(crowd) - before)
            crowd.later(30_000)
            crowd.deliver()
        assert spent[0] == spent[1] <= 3

    @pytest.mark.slow
    def test_256_failures_with_long_errors_are_settled_in_one_call(self, crowd: Scene) -> None:
        crowd.publish()
        for claim in crowd.claim_buckets():
            fate = type(missed(claim))(to=claim.head, delay_ms=9, hold_ms=0, error="x" * 120)
            assert crowd.settle(claim, fate)
        assert {crowd.progress(callback).attempts for callback in self.CALLBACKS} == {1}

    @staticmethod
    def _calls(scene: Scene) -> int:
        stats = scene.redis.info("commandstats")
        return sum(
            stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("evalsha", "eval")
        )

    def test_8000_subscriptions_in_one_bucket_do_not_break_a_script(
        self, scene_with: SceneWith
    ) -> None:
        """More values than Lua's unpack takes, so whatever is written goes in slices."""
        scene = scene_with(bucket_size=10_000)
        scene.subscribe(ONE)
        topic = topic_id(TOPIC)
        sid = subscription_id(TOPIC, ONE)
        roster = scene.redis.hget(scene.key(f"roster:{topic}.1"), sid)
        progress = scene.redis.hget(scene.key(f"progress:{topic}.1"), sid)
        more = [number.to_bytes(16, "big") for number in range(8_500)]
        scene.redis.hset(scene.key(f"roster:{topic}.1"), mapping=dict.fromkeys(more, roster))
        scene.redis.hset(scene.key(f"progress:{topic}.1"), mapping=dict.fromkeys(more, progress))
        scene.publish()
        claim = scene.claim_bucket()
        assert len(claim.members) == 8_501
        assert scene.settle(claim, Reached(to=claim.head))
        assert scene.claim_buckets() == []


class TestHowBucketsFill:
    def test_the_fullest_bucket_with_room_is_filled_first(self, scene_with: SceneWith) -> None:
        scene = scene_with(bucket_size=2)
        scene.subscribe(*(f"http://s.example/{number}" for number in range(5)))
        alone = next(
            callback
            for callback in (f"http://s.example/{number}" for number in range(5))
            if scene.place(callback) == 3
        )
        scene.unsubscribe(
            next(c for c in (f"http://s.example/{n}" for n in range(5)) if scene.place(c) == 1)
        )
        scene.subscribe("http://s.example/new")
        assert scene.place("http://s.example/new") in {1, 3}
        assert scene.place(alone) == 3

    def test_a_bucket_that_was_emptied_is_used_again(self, scene_with: SceneWith) -> None:
        scene = scene_with(bucket_size=1)
        scene.subscribe(ONE)
        for _ in range(3):
            scene.subscribe(TWO)
            assert scene.place(TWO) == 2
            scene.unsubscribe(TWO)
        scene.subscribe(TWO)
        scene.publish()
        assert scene.deliver() == {ONE, TWO}

    def test_where_all_were_emptied_the_numbers_begin_anew(self, scene_with: SceneWith) -> None:
        scene = scene_with(bucket_size=1)
        scene.subscribe(ONE, TWO)
        scene.accept(THREE)
        scene.later(1_000)
        (claim,) = scene.claim_requests()
        for callback in sorted((ONE, TWO), key=lambda one: scene.place(one) or 0):
            scene.unsubscribe(callback)
        scene.settle_request(claim)
        assert scene.place(THREE) == 1

    def test_a_gap_among_the_buckets_hides_nobody(self, scene_with: SceneWith) -> None:
        scene = scene_with(bucket_size=1)
        scene.subscribe(ONE, TWO, THREE)
        middle = next(c for c in (ONE, TWO, THREE) if scene.place(c) == 2)
        scene.unsubscribe(middle)
        scene.subscribe("http://s.example/new")
        scene.publish()
        assert scene.deliver() == {ONE, TWO, THREE, "http://s.example/new"} - {middle}


def test_a_claim_names_what_the_topic_calls_its_hubs_and_itself(followed: Scene) -> None:
    facts = {"hubs": "http://h.example/1\nhttp://h.example/2", "self": "http://t.example/self"}
    followed.publish(record=type(NEWS)(outcome=NEWS.outcome, event=NEWS.event, facts=facts))
    claim = followed.claim_bucket()
    assert claim.hubs == ("http://h.example/1", "http://h.example/2")
    assert claim.self_url == "http://t.example/self"


def test_a_topic_that_names_neither_gives_neither(followed: Scene) -> None:
    followed.publish()
    claim = followed.claim_bucket()
    assert (claim.hubs, claim.self_url) == ((), None)


def test_a_budget_stops_the_claim_once_it_is_spent(scene_with: SceneWith) -> None:
    scene = scene_with(bucket_size=2)
    scene.subscribe(*(f"http://s.example/{number}" for number in range(6)))
    scene.publish()
    assert len(scene.claim_buckets(budget=3)) == 2
    assert len(scene.claim_buckets(budget=ALL)) == 1
    assert scene.head() > EventId(0, 0)
