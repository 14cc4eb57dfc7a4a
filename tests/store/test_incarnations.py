"""Who a subscription is, and what is left of one that ended (fine print 3, 5)."""

from hub.store.outcomes import Left, Outcome, Reached
from tests.store.scene import (
    FLIGHT_MS,
    ONE,
    TWO,
    Scene,
    callbacks_of,
    missed,
    outcome_of,
    pending,
)


class TestIncarnations:
    """Fine print 3."""

    def test_each_confirmed_request_draws_a_new_one(self, scene: Scene) -> None:
        drawn = set()
        for _ in range(3):
            scene.subscribe(ONE)
            drawn.add(scene.progress().incarnation)
        scene.unsubscribe(ONE)
        scene.subscribe(ONE)
        drawn.add(scene.progress().incarnation)
        assert len(drawn) == 4
        assert max(drawn) == scene.progress().incarnation

    def test_a_renewal_keeps_cursor_failures_and_flight(self, scene: Scene) -> None:
        scene.subscribe(ONE, TWO)
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, {ONE: missed(claim), TWO: missed(claim)})
        scene.later(5_000)
        claim = scene.claim_bucket()
        scene.settle(claim, {ONE: missed(claim), TWO: pending(claim)})
        before = scene.progress(ONE), scene.progress(TWO)
        scene.subscribe(ONE, TWO)
        for old, new in zip(before, (scene.progress(ONE), scene.progress(TWO)), strict=True):
            assert new.incarnation > old.incarnation
            assert (new.cursor, new.attempts, new.error) == (old.cursor, old.attempts, old.error)
            assert (new.next_at_ms, new.flight_until_ms) == (old.next_at_ms, old.flight_until_ms)
        assert scene.progress(TWO).flight_until_ms > 0

    def test_a_gone_meant_for_the_older_one_does_not_end_the_newer(self, scene: Scene) -> None:
        scene.subscribe(ONE)
        scene.publish()
        claim = scene.claim_bucket()
        scene.subscribe(ONE)
        assert scene.settle(claim, Left())
        assert scene.place(ONE) is not None
        assert scene.deliver() == {ONE}

    def test_a_success_of_the_older_one_moves_no_cursor_of_the_newer(self, scene: Scene) -> None:
        scene.subscribe(ONE, secret=b"old")
        scene.publish()
        claim = scene.claim_bucket()
        scene.subscribe(ONE, secret=b"new")
        assert scene.settle(claim, Reached(to=claim.head))
        (member,) = scene.claim_bucket().members
        assert member.subscription.secret == b"new"
        assert member.progress.cursor < claim.head

    def test_a_failure_of_the_older_one_is_none_of_the_newer(self, scene: Scene) -> None:
        scene.subscribe(ONE)
        scene.publish()
        claim = scene.claim_bucket()
        scene.subscribe(ONE)
        scene.settle(claim, missed(claim))
        assert scene.progress().attempts == 0

    def test_a_request_of_the_older_one_still_holds_the_newer_in_flight(self, scene: Scene) -> None:
        scene.subscribe(ONE)
        scene.publish()
        claim = scene.claim_bucket()
        scene.subscribe(ONE)
        scene.settle(claim, pending(claim))
        assert scene.claim_buckets() == []
        scene.later(FLIGHT_MS)
        assert scene.deliver() == {ONE}

    def test_and_its_end_sets_the_newer_free_without_a_word_on_it(self, scene: Scene) -> None:
        scene.subscribe(ONE)
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, pending(claim))
        scene.subscribe(ONE)
        assert scene.settle_late(claim, Reached(to=claim.head)) == 1
        assert scene.progress().cursor < claim.head
        assert scene.deliver() == {ONE}


class TestEndedSlots:
    """Fine print 5."""

    def test_a_slot_is_kept_while_its_bucket_is_claimed(self, scene: Scene) -> None:
        scene.subscribe(ONE, TWO)
        scene.publish()
        claim = scene.claim_bucket()
        scene.unsubscribe(ONE)
        assert scene.progress(ONE).incarnation == 0
        scene.settle(claim, Reached(to=claim.head))
        assert scene.place(ONE) is None

    def test_a_slot_is_kept_until_its_request_has_ended(self, scene: Scene) -> None:
        scene.subscribe(ONE, TWO)
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, {ONE: pending(claim), TWO: Reached(to=claim.head)})
        flight_until_ms = scene.progress(ONE).flight_until_ms
        scene.unsubscribe(ONE)
        scene.world.set_time(flight_until_ms - 1)
        assert scene.deliver() == set()
        assert scene.progress(ONE).incarnation == 0
        scene.world.set_time(flight_until_ms)
        assert scene.deliver() == set()
        assert scene.place(ONE) is None

    def test_also_where_it_came_back_for_a_while_and_was_not_behind(self, scene: Scene) -> None:
        scene.subscribe(ONE, TWO)
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, {ONE: pending(claim), TWO: missed(claim)})
        scene.unsubscribe(ONE)
        scene.subscribe(ONE)
        scene.later(5_000)
        assert scene.deliver() == {TWO}  # now the bucket has nothing left to do
        scene.unsubscribe(ONE)
        assert scene.progress(ONE).incarnation == 0
        scene.later(FLIGHT_MS)
        assert scene.deliver() == set()
        assert scene.place(ONE) is None

    def test_the_late_end_of_its_request_removes_it(self, scene: Scene) -> None:
        scene.subscribe(ONE)
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, pending(claim))
        scene.unsubscribe(ONE)
        assert scene.settle_late(claim, Reached(to=claim.head)) == 1
        assert scene.place(ONE) is None

    def test_who_comes_back_gets_no_second_request_beside_the_old_one(self, scene: Scene) -> None:
        scene.subscribe(ONE, TWO)
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, {ONE: pending(claim), TWO: Reached(to=claim.head)})
        scene.unsubscribe(ONE)
        scene.subscribe(ONE)
        flight_until_ms = scene.progress(ONE).flight_until_ms
        assert flight_until_ms > scene.world.now
        scene.publish()
        assert scene.deliver() == {TWO}
        scene.later(flight_until_ms - scene.world.now)
        assert scene.deliver() == {ONE}

    def test_an_end_that_comes_while_the_bucket_is_claimed_again_leaves_it_to_that_claim(
        self, scene: Scene
    ) -> None:
        scene.subscribe(ONE)
        scene.publish()
        first = scene.claim_bucket()
        scene.settle(first, pending(first))
        scene.subscribe(TWO)
        scene.publish()
        second = scene.claim_bucket()
        assert callbacks_of(second) == {TWO}
        scene.unsubscribe(ONE)
        assert scene.settle_late(first, Reached(to=first.head)) == 1
        assert scene.progress(ONE).incarnation == 0
        scene.settle(second, Reached(to=second.head))
        assert scene.place(ONE) is None

    def test_who_comes_back_has_no_failures_of_before(self, scene: Scene) -> None:
        scene.subscribe(ONE)
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, missed(claim))
        scene.later(5_000)
        claim = scene.claim_bucket()
        scene.settle(claim, pending(claim))
        scene.unsubscribe(ONE)
        scene.subscribe(ONE)
        assert scene.progress(ONE).flight_until_ms > 0
        assert (scene.progress(ONE).attempts, scene.progress(ONE).error) == (0, "")

    def test_who_comes_back_starts_at_the_head_of_its_own_verification(self, scene: Scene) -> None:
        scene.subscribe(ONE, TWO)
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, {ONE: pending(claim)})
        scene.unsubscribe(ONE)
        scene.publish()
        scene.subscribe(ONE)
        assert scene.progress(ONE).cursor == scene.head()

    def test_a_slot_that_was_kept_for_a_killed_worker_goes_when_its_claim_lapses(
        self, scene: Scene
    ) -> None:
        scene.subscribe(ONE, TWO)
        scene.publish()
        scene.claim_bucket()
        scene.unsubscribe(ONE)
        scene.later(30_000)
        assert scene.deliver() == {TWO}
        assert scene.place(ONE) is None

    def test_a_late_answer_to_who_left_and_came_back_elsewhere_writes_nothing(
        self, scene: Scene
    ) -> None:
        scene.subscribe(ONE, TWO)
        scene.publish()
        claim = scene.claim_bucket()
        scene.settle(claim, {ONE: pending(claim), TWO: Reached(to=claim.head)})
        scene.unsubscribe(ONE)
        scene.later(FLIGHT_MS)
        scene.deliver()
        scene.subscribe(ONE)
        before = scene.progress(ONE)
        late = [
            outcome_of(claim, member, Left())
            for member in claim.members
            if member.subscription.callback == ONE
        ]
        buckets = scene.workers[0].buckets
        assert scene.run(buckets.settle_late(claim.topic_id, claim.bucket, late)).written == 0
        assert scene.progress(ONE) == before


def test_an_outcome_for_nobody_in_the_bucket_writes_nothing(scene: Scene) -> None:
    scene.subscribe(ONE)
    scene.publish()
    claim = scene.claim_bucket()
    stranger = Outcome(
        subscription_id=b"\x00" * 16, incarnation=1, attempt=claim.attempt, fate=Left()
    )
    assert scene.run(scene.workers[0].buckets.settle(claim, [stranger]))
    assert scene.deliver() == {ONE}
