"""Where a subscription starts, and what its first document is (fine print 1, 2)."""

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

    def test_an_unsubscription_waits_for_nothing(self, scene: Scene) -> None:
        scene.accept(ONE)
        scene.accept(ONE, mode=Mode.UNSUBSCRIBE)
        scene.later(50)
        (claim,) = scene.claim_requests()
        assert claim.mode is Mode.UNSUBSCRIBE
