"""Where a subscription starts, and what its first document is (fine print 1, 2)."""

from dataclasses import replace

import pytest

from hub.protocol.requests import Mode
from hub.store.event_id import BEFORE_ALL
from hub.store.outcomes import Reached
from hub.store.topics import Appended
from tests.store.scene import (
    FAILED,
    NEWS,
    ONE,
    TWO,
    Scene,
)


def failed_before(scene: Scene, *, age_ms: int) -> None:
    """A subscription to a topic that could not be read so long ago; the next try is hours ahead."""
    scene.accept(ONE)
    (fetch,) = scene.claim_fetches()
    scene.append(fetch, replace(FAILED, retry_ms=3_600_000))
    scene.later(50)
    (claim,) = scene.claim_requests()
    scene.settle_request(claim)
    scene.later(age_ms - 50)


class TestWhereANewSubscriptionStarts:
    """Fine print 1."""

    def test_at_the_head_as_it_stood_when_its_verification_was_claimed(self, scene: Scene) -> None:
        scene.subscribe(TWO)
        scene.publish()
        start = scene.head()
        scene.accept(ONE)
        scene.later(1_000)
        (claim,) = scene.claim_requests()
        scene.publish()  # while the callback is asked
        scene.settle_request(claim)
        assert scene.progress(ONE).cursor == start

    def test_and_is_sent_what_came_while_it_was_verified(self, scene: Scene) -> None:
        scene.subscribe(TWO)
        scene.accept(ONE)
        scene.later(1_000)
        (claim,) = scene.claim_requests()
        scene.publish()
        assert scene.deliver() == {TWO}
        scene.settle_request(claim)
        assert scene.deliver() == {ONE}

    def test_also_where_its_bucket_is_claimed_just_then(self, scene: Scene) -> None:
        scene.subscribe(TWO)
        scene.accept(ONE)
        scene.later(1_000)
        (claim,) = scene.claim_requests()
        scene.publish()
        bucket = scene.claim_bucket()
        scene.settle_request(claim)
        scene.settle(bucket, Reached(to=bucket.head))
        assert scene.deliver() == {ONE}

    def test_a_new_one_is_sent_nothing_that_was_there_before(self, scene: Scene) -> None:
        scene.subscribe(TWO)
        scene.publish()
        scene.subscribe(ONE)
        assert scene.deliver() == {TWO}

    def test_a_topic_with_a_pending_request_counts_as_followed(self, scene: Scene) -> None:
        assert scene.ping() == 0
        scene.accept(ONE)
        assert scene.ping() == 1
        assert len(scene.claim_fetches()) == 1


class TestTheFirstDocument:
    """Fine print 2."""

    def test_is_silent_while_nobody_is_confirmed(self, scene: Scene) -> None:
        scene.accept(ONE)
        (fetch,) = scene.claim_fetches()
        assert scene.append(fetch, NEWS) == Appended(event_id=None, before=None, bucket=None)
        scene.verify_all()
        assert scene.progress().cursor == BEFORE_ALL
        assert scene.deliver() == set()

    def test_is_an_event_where_somebody_is_confirmed(self, scene: Scene) -> None:
        scene.accept(ONE)
        (fetch,) = scene.claim_fetches()
        scene.append(fetch, FAILED)
        scene.verify_all()
        assert scene.publish().event_id is not None
        assert scene.deliver() == {ONE}

    def test_the_second_one_is_an_event_whoever_is_confirmed(self, scene: Scene) -> None:
        scene.accept(ONE)
        (fetch,) = scene.claim_fetches()
        scene.append(fetch, NEWS)
        assert scene.publish().event_id is not None

    def test_a_verification_waits_for_it(self, scene: Scene) -> None:
        scene.accept(ONE)
        scene.later(1_000)
        assert scene.claim_requests() == []
        (fetch,) = scene.claim_fetches()
        scene.append(fetch)
        scene.later(1_000)
        assert len(scene.claim_requests()) == 1

    def test_but_not_longer_than_20_s(self, scene: Scene) -> None:
        scene.accept(ONE)
        for _ in range(19):
            scene.later(1_000)
            assert scene.claim_requests() == []
        scene.later(1_000)
        assert len(scene.claim_requests()) == 1

    def test_a_verification_that_waits_is_looked_at_again_within_a_second(
        self, scene: Scene
    ) -> None:
        scene.accept(ONE)
        scene.later(10_000)
        scene.claim_requests()
        assert scene.run(scene.workers[0].requests.claim(limit=1)).wait_ms == 1_000

    def test_a_failed_first_fetch_ends_the_wait(self, scene: Scene) -> None:
        scene.accept(ONE)
        (fetch,) = scene.claim_fetches()
        scene.append(fetch, FAILED)
        scene.later(1_000)
        assert len(scene.claim_requests()) == 1

    def test_one_that_could_not_be_read_is_fetched_for_the_next_subscriber(
        self, scene: Scene
    ) -> None:
        failed_before(scene, age_ms=600_000)
        scene.accept(TWO)
        (fetch,) = scene.claim_fetches()
        scene.append(fetch, NEWS)
        scene.verify_all()
        assert scene.deliver() == {ONE}

    def test_that_it_was_read_before_is_enough_though_the_last_fetch_failed(
        self, scene: Scene
    ) -> None:
        scene.subscribe(ONE)
        scene.publish(record=replace(FAILED, retry_ms=3_600_000))
        scene.accept(TWO)
        assert scene.claim_fetches() == []
        scene.later(50)
        assert len(scene.claim_requests()) == 1

    def test_it_is_fetched_for_subscribers_no_oftener_than_for_pings(self, scene: Scene) -> None:
        fetches = 0
        for number in range(30):
            scene.accept(f"http://s.example/{number}")
            for claim in scene.claim_fetches():
                scene.append(claim, FAILED)
                fetches += 1
        assert fetches == 10
        scene.later(1_000)
        assert len(scene.claim_fetches()) == 1

    def test_after_a_failure_a_verification_waits_for_the_next_fetch(self, scene: Scene) -> None:
        failed_before(scene, age_ms=600_000)
        scene.accept(TWO)
        for _ in range(19):
            scene.later(1_000)
            assert scene.claim_requests() == []
        scene.later(1_000)
        assert len(scene.claim_requests()) == 1

    def test_and_ends_its_wait_where_that_one_fails_too(self, scene: Scene) -> None:
        failed_before(scene, age_ms=600_000)
        scene.accept(TWO)
        scene.later(60)
        assert scene.claim_requests() == []
        (fetch,) = scene.claim_fetches()
        scene.append(fetch, FAILED)
        scene.later(60)
        assert len(scene.claim_requests()) == 1

    @pytest.mark.parametrize("age_ms", [50, 1_000, 3_000])
    def test_a_verification_waits_no_longer_than_the_failure_was_ago(
        self, scene: Scene, age_ms: int
    ) -> None:
        failed_before(scene, age_ms=age_ms)
        scene.accept(TWO)
        (_,) = scene.claim_fetches()  # and it hangs
        scene.later(age_ms - 1)
        assert scene.claim_requests() == []
        scene.later(1_000)
        assert len(scene.claim_requests()) == 1

    def test_an_unsubscription_waits_for_nothing(self, scene: Scene) -> None:
        scene.accept(ONE)
        scene.accept(ONE, mode=Mode.UNSUBSCRIBE)
        scene.later(50)
        (claim,) = scene.claim_requests()
        assert claim.mode is Mode.UNSUBSCRIBE
