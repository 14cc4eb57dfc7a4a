"""Add, claim, settle (design section 3), tried on the list `pinged`; and invariant 5."""

import pytest

from hub.store.outcomes import Reached
from hub.store.requests import Effect
from hub.store.topics import Appended, Lapsed
from tests.store.conftest import SceneWith
from tests.store.scene import ONE, RELEASED, SAME, TOPIC, TWO, Scene, callbacks_of

LEASE_MS = 30_000


@pytest.fixture
def followed(scene: Scene) -> Scene:
    scene.subscribe(ONE)
    scene.later(1_000)
    return scene


def test_pings_of_a_waiting_topic_are_one_fetch(followed: Scene) -> None:
    for _ in range(5):
        followed.ping()
    assert len(followed.claim_fetches()) == 1
    assert followed.claim_fetches() == []


def test_what_is_claimed_is_nobody_elses(followed: Scene) -> None:
    followed.ping()
    assert len(followed.claim_fetches(worker=0)) == 1
    followed.later(LEASE_MS - 1)
    assert followed.claim_fetches(worker=1) == []


def test_what_a_dead_worker_held_falls_due_when_its_claim_lapses(followed: Scene) -> None:
    followed.ping()
    followed.claim_fetches(worker=0)
    followed.later(LEASE_MS)
    assert len(followed.claim_fetches(worker=1)) == 1


def test_a_ping_during_the_fetch_makes_it_due_again_at_once(followed: Scene) -> None:
    followed.ping()
    (claim,) = followed.claim_fetches()
    followed.ping()
    assert followed.claim_fetches() == []
    followed.append(claim, SAME)
    followed.later(1_000)
    assert len(followed.claim_fetches()) == 1


def test_a_settled_fetch_with_nothing_more_to_do_is_not_due_again(followed: Scene) -> None:
    followed.publish()
    followed.later(7 * LEASE_MS)
    assert followed.claim_fetches() == []


def test_an_earlier_wish_moves_a_waiting_member_forward(followed: Scene) -> None:
    followed.publish(record=SAME)  # comes back in 10 s
    followed.later(1_000)
    assert followed.claim_fetches() == []
    followed.ping()
    assert len(followed.claim_fetches()) == 1


def test_a_released_fetch_is_due_again_at_once(followed: Scene) -> None:
    followed.ping()
    (claim,) = followed.claim_fetches()
    assert followed.append(claim, RELEASED) == Appended(event_id=None, before=None, bucket=None)
    followed.later(1_000)
    assert len(followed.claim_fetches()) == 1


class TestAClaimThatHasEndedCanDoNothing:
    """Invariant 5."""

    def test_a_lapsed_fetch_writes_nothing(self, followed: Scene) -> None:
        followed.ping()
        (claim,) = followed.claim_fetches()
        before = followed.redis.hgetall(followed.key(f"t:{claim.topic_id}"))
        followed.later(LEASE_MS)
        assert followed.append(claim) == Lapsed()
        assert followed.redis.hgetall(followed.key(f"t:{claim.topic_id}")) == before

    def test_a_fetch_that_another_worker_holds_now_writes_nothing(self, followed: Scene) -> None:
        followed.ping()
        (old,) = followed.claim_fetches(worker=0)
        followed.later(LEASE_MS)
        (new,) = followed.claim_fetches(worker=1)
        assert old.token != new.token
        assert followed.append(old) == Lapsed()
        assert isinstance(followed.append(new), Appended)

    def test_a_fetch_is_settled_once(self, followed: Scene) -> None:
        followed.ping()
        (claim,) = followed.claim_fetches()
        followed.append(claim)
        head = followed.head()
        assert followed.append(claim) == Lapsed()
        assert followed.head() == head

    def test_a_lapsed_bucket_moves_no_cursor(self, followed: Scene) -> None:
        followed.publish()
        claim, before = followed.claim_bucket(), followed.progress()
        followed.later(LEASE_MS)
        assert not followed.settle(claim, Reached(to=claim.head))
        assert followed.progress() == before

    def test_a_bucket_that_another_worker_holds_now_moves_no_cursor(self, followed: Scene) -> None:
        followed.publish()
        old, before = followed.claim_bucket(), followed.progress()
        followed.later(LEASE_MS)
        (new,) = followed.claim_buckets(worker=1)
        assert not followed.settle(old, Reached(to=old.head))
        assert followed.progress() == before
        assert followed.settle(new, Reached(to=new.head))
        assert followed.progress().cursor == new.head

    def test_a_lapsed_verification_changes_nothing(self, followed: Scene) -> None:
        followed.accept(TWO)
        followed.later(1_000)
        (claim,) = followed.claim_requests()
        followed.later(LEASE_MS)
        assert followed.settle_request(claim) is Effect.LAPSED
        assert followed.place(TWO) is None
        (again,) = followed.claim_requests(worker=1)
        assert followed.settle_request(claim) is Effect.LAPSED
        assert followed.settle_request(again) is Effect.APPLIED

    def test_a_claim_written_before_the_clock_went_back_has_ended(self, followed: Scene) -> None:
        followed.ping()
        (claim,) = followed.claim_fetches()
        followed.later(-3_600_000)
        assert followed.append(claim) == Lapsed()

    def test_a_clock_that_is_set_back_a_little_ends_no_claim(self, followed: Scene) -> None:
        followed.ping()
        (claim,) = followed.claim_fetches()
        followed.later(-2_000)
        assert followed.append(claim) != Lapsed()


def test_a_worker_knows_whether_something_was_added_to_its_bucket(followed: Scene) -> None:
    followed.publish()
    claim, buckets = followed.claim_bucket(), followed.workers[0].buckets
    assert not followed.run(buckets.has_newer_event(claim))
    followed.publish()
    assert followed.run(buckets.has_newer_event(claim))


def test_a_lapsed_claim_counts_as_moved(followed: Scene) -> None:
    followed.publish()
    claim = followed.claim_bucket()
    followed.later(LEASE_MS)
    assert followed.run(followed.workers[0].buckets.has_newer_event(claim))


def test_two_processes_never_draw_the_same_token(followed: Scene) -> None:
    followed.ping()
    (first,) = followed.claim_fetches(worker=0)
    followed.redis.decr(followed.key("count"))  # as after a restore from an older copy
    followed.later(LEASE_MS)
    (second,) = followed.claim_fetches(worker=1)
    assert first.token != second.token


def test_a_claim_takes_no_more_than_it_was_asked_to(scene: Scene) -> None:
    for number in range(4):
        scene.subscribe(ONE, topic=f"{TOPIC}/{number}")
    for number in range(4):
        scene.ping(f"{TOPIC}/{number}")
    topics = scene.workers[0].topics
    claimed = scene.run(topics.claim(limit=3))
    assert len(claimed.claims) == 3
    assert claimed.wait_ms == 0
    assert len(scene.run(topics.claim(limit=3)).claims) == 1


def test_a_worker_sleeps_until_the_next_time_but_never_longer_than_a_second(scene: Scene) -> None:
    requests = scene.workers[0].requests
    assert scene.run(requests.claim(limit=1)).wait_ms == 1_000
    scene.accept()
    assert scene.run(requests.claim(limit=1)).wait_ms == 50


class TestALargeTopicDoesNotHoldUpASmallOne:
    """Design: a claim takes up to 4 due buckets and puts the topic at the end of `ready`."""

    SMALL = "http://t.example/small"

    @pytest.fixture
    def scene(self, scene_with: SceneWith) -> Scene:
        scene = scene_with(bucket_size=2)
        scene.subscribe(*(f"http://s.example/{number}" for number in range(20)))
        scene.subscribe(ONE, topic=self.SMALL)
        scene.publish()
        scene.publish(self.SMALL)
        scene.later(1_000)
        return scene

    def test_four_buckets_then_the_next_topic(self, scene: Scene) -> None:
        claims = scene.claim_buckets(budget=9)
        assert [claim.topic for claim in claims] == [TOPIC] * 4 + [self.SMALL]

    def test_a_topic_that_was_served_waits_for_its_turn_even_when_a_bucket_is_settled(
        self, scene: Scene
    ) -> None:
        (large,) = scene.claim_buckets(budget=1)
        assert large.topic == TOPIC
        scene.later(5)
        assert scene.settle(large, Reached(to=large.head))
        (small,) = scene.claim_buckets(budget=1)
        assert small.topic == self.SMALL

    def test_a_topic_keeps_its_place_when_another_event_comes(self, scene: Scene) -> None:
        """Else one with an event each second would never be served by a busy hub."""
        scene.deliver()
        scene.publish(self.SMALL)
        scene.publish()
        scene.publish(self.SMALL)
        (first,) = scene.claim_buckets(budget=1)
        assert first.topic == self.SMALL

    def test_it_is_served_in_full_in_the_end(self, scene: Scene) -> None:
        reached: set[str] = set()
        while claims := scene.claim_buckets(budget=3):
            for claim in claims:
                reached |= callbacks_of(claim)
                scene.settle(claim, Reached(to=claim.head))
            scene.later(5)
        assert len(reached) == 20
