"""Requests that outlive the claim of their bucket (invariant 3, fine print 9)."""

from hub.protocol.urls import subscription_id
from hub.store.outcomes import Left, Outcome, Pending, Reached
from tests.store.scene import (
    FLIGHT_MS,
    ONE,
    TOPIC,
    TWO,
    Scene,
    callbacks_of,
    missed,
    outcome_of,
    pending,
)

MINUTE_MS = 60_000


class TestRequestsPastPatience:
    """Invariant 3 and fine print 9: one request at a time, also past the claim."""

    def test_a_subscription_in_flight_is_skipped_until_its_time(self, followed: Scene) -> None:
        followed.publish()
        claim = followed.claim_bucket()
        followed.settle(claim, {ONE: pending(claim), TWO: Reached(to=claim.head)})
        followed.publish()
        assert followed.deliver() == {TWO}
        followed.later(FLIGHT_MS - 1_001)
        assert followed.claim_buckets() == []
        followed.later(1)
        assert followed.deliver() == {ONE}

    def test_its_late_success_moves_the_cursor_and_the_rest_follows_at_once(
        self, followed: Scene
    ) -> None:
        followed.publish()
        claim = followed.claim_bucket()
        followed.settle(claim, pending(claim))
        followed.publish()
        assert followed.settle_late(claim, Reached(to=claim.head)) == 1
        (member,) = followed.claim_bucket().members
        assert member.progress.cursor == claim.head

    def test_its_late_success_leaves_nothing_to_do_where_nothing_came(self, scene: Scene) -> None:
        scene.subscribe(ONE)
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, pending(claim))
        assert scene.settle_late(claim, Reached(to=claim.head)) == 1
        scene.later(FLIGHT_MS)
        assert scene.claim_buckets() == []
        assert scene.progress().cursor == claim.head

    def test_its_late_failure_waits_for_its_time(self, scene: Scene) -> None:
        scene.subscribe(ONE)
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, pending(claim))
        assert scene.settle_late(claim, missed(claim)) == 1
        scene.later(4_999)
        assert scene.claim_buckets() == []
        scene.later(1)
        assert scene.deliver() == {ONE}

    def test_its_late_gone_ends_the_subscription(self, scene: Scene) -> None:
        scene.subscribe(ONE)
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, pending(claim))
        assert scene.settle_late(claim, Left()) == 1
        assert scene.place() is None

    def test_an_end_is_settled_once(self, followed: Scene) -> None:
        followed.publish()
        claim = followed.claim_bucket()
        followed.settle(claim, pending(claim))
        assert followed.settle_late(claim, missed(claim)) == 1
        assert followed.settle_late(claim, Reached(to=claim.head)) == 0
        assert followed.progress(ONE).attempts == 1

    def test_an_end_that_comes_after_its_time_and_another_claim_writes_nothing(
        self, followed: Scene
    ) -> None:
        followed.publish()
        first = followed.claim_bucket()
        followed.settle(first, pending(first))
        followed.later(FLIGHT_MS)
        second = followed.claim_bucket()
        assert followed.settle_late(first, Left()) == 0
        followed.settle(second, pending(second))
        assert followed.settle_late(first, Left()) == 0
        assert second.attempt > first.attempt

    def test_an_end_that_comes_before_its_bucket_is_settled_writes_nothing(
        self, followed: Scene
    ) -> None:
        followed.publish()
        claim = followed.claim_bucket()
        assert followed.settle_late(claim, Left()) == 0
        assert followed.settle(claim, pending(claim))

    def test_an_end_while_its_bucket_is_claimed_again_is_kept(self, followed: Scene) -> None:
        followed.publish()
        first = followed.claim_bucket()
        followed.settle(first, {ONE: pending(first), TWO: Reached(to=first.head)})
        followed.publish()
        second = followed.claim_bucket()
        assert callbacks_of(second) == {TWO}
        late = [outcome_of(first, m, Reached(to=first.head)) for m in first.members]
        mine = [o for o in late if o.subscription_id == subscription_id(TOPIC, ONE)]
        buckets = followed.workers[0].buckets
        assert followed.run(buckets.settle_late(first.topic_id, first.bucket, mine)).written == 1
        followed.settle(second, Reached(to=second.head))
        assert followed.deliver() == {ONE}

    def test_a_gone_while_its_bucket_is_claimed_again_ends_it_with_the_claim(
        self, followed: Scene
    ) -> None:
        followed.publish()
        first = followed.claim_bucket()
        followed.settle(first, {ONE: pending(first), TWO: Reached(to=first.head)})
        followed.publish()
        second = followed.claim_bucket()
        mine = Outcome(
            subscription_id=subscription_id(TOPIC, ONE), attempt=first.attempt, fate=Left(),
            incarnation=followed.progress(ONE).incarnation,
        )  # fmt: skip
        buckets = followed.workers[0].buckets
        assert followed.run(buckets.settle_late(first.topic_id, first.bucket, [mine])).written == 1
        assert followed.place(ONE) is not None
        followed.settle(second, Reached(to=second.head))
        assert followed.place(ONE) is None

    def test_many_ends_are_one_call(self, followed: Scene) -> None:
        followed.publish()
        claim = followed.claim_bucket()
        followed.settle(claim, pending(claim))
        late = [outcome_of(claim, member, Reached(to=claim.head)) for member in claim.members]
        buckets = followed.workers[0].buckets
        assert followed.run(buckets.settle_late(claim.topic_id, claim.bucket, late)).written == 2

    def test_a_flight_written_before_the_clock_went_back_holds_nobody(self, scene: Scene) -> None:
        scene.subscribe(ONE)
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, pending(claim))
        scene.later(-60 * MINUTE_MS)
        scene.publish()
        assert scene.deliver() == {ONE}

    def test_a_failing_one_keeps_its_failures_while_in_flight(self, scene: Scene) -> None:
        scene.subscribe(ONE)
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, missed(claim))
        scene.later(5_000)
        claim = scene.claim_bucket()
        scene.settle(claim, pending(claim))
        assert scene.progress().attempts == 1
        scene.settle_late(claim, missed(claim))
        assert scene.progress().attempts == 2


def test_remaining_time_in_flight_is_kept_to_the_millisecond(followed: Scene) -> None:
    followed.publish()
    claim = followed.claim_bucket()
    followed.settle(claim, {ONE: Pending(to=claim.head, remaining_ms=12_345)})
    assert followed.progress(ONE).flight_until_ms == followed.world.now + 12_345
