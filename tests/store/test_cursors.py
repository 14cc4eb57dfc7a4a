"""What moves a cursor, and when who fails is tried again (invariants 2, 3; fine print 6, 9)."""

from hub.store.outcomes import Left, NoTurn, Reached
from tests.store.scene import (
    FLIGHT_MS,
    ONE,
    TWO,
    Scene,
    callbacks_of,
    missed,
    pending,
)

MINUTE_MS = 60_000


class TestCursors:
    """Invariant 2."""

    def test_only_a_success_moves_one(self, followed: Scene) -> None:
        before = followed.progress(ONE).cursor
        followed.publish()
        claim = followed.claim_bucket()
        followed.settle(claim, {ONE: missed(claim)})
        assert followed.progress(ONE).cursor == before
        assert followed.progress(TWO).cursor == before  # not tried
        followed.later(5_000)
        claim = followed.claim_bucket()
        followed.settle(claim, {ONE: pending(claim), TWO: Reached(to=claim.head)})
        assert followed.progress(ONE).cursor == before
        assert followed.progress(TWO).cursor == claim.head

    def test_it_moves_to_what_was_sent_and_the_rest_stays_due(self, followed: Scene) -> None:
        first = followed.publish().event_id
        followed.publish()
        assert first is not None
        claim = followed.claim_bucket()
        followed.settle(claim, Reached(to=first))
        assert followed.progress(ONE).cursor == first
        assert callbacks_of(followed.claim_bucket()) == {ONE, TWO}

    def test_it_never_goes_back(self, followed: Scene) -> None:
        """Fine print 9."""
        first = followed.publish().event_id
        followed.publish()
        assert first is not None
        claim = followed.claim_bucket()
        followed.settle(claim, Reached(to=claim.head))
        third = followed.publish().event_id
        again = followed.claim_bucket()
        followed.settle(again, Reached(to=first))
        assert followed.progress(ONE).cursor == claim.head
        assert third is not None
        assert followed.deliver() == {ONE, TWO}

    def test_a_success_beyond_the_claimed_head_counts(self, followed: Scene) -> None:
        """A whole document may hold more than the claim knew of."""
        followed.publish()
        claim = followed.claim_bucket()
        newer = followed.publish().event_id
        assert newer is not None
        followed.settle(claim, Reached(to=newer))
        assert followed.progress(ONE).cursor == newer
        assert followed.claim_buckets() == []

    def test_a_claim_shows_the_cursors_as_they_stand(self, followed: Scene) -> None:
        start = followed.progress(ONE).cursor
        followed.publish()
        claim = followed.claim_bucket()
        followed.settle(claim, {TWO: Reached(to=claim.head)})
        followed.publish()
        cursors = {
            member.subscription.callback: member.progress.cursor
            for member in followed.claim_bucket().members
        }
        assert cursors == {ONE: start, TWO: claim.head}


class TestWhoFails:
    """Invariant 3."""

    def test_is_tried_again_at_its_own_time(self, followed: Scene) -> None:
        followed.publish()
        claim = followed.claim_bucket()
        followed.settle(claim, {ONE: missed(claim), TWO: Reached(to=claim.head)})
        followed.later(4_999)
        assert followed.claim_buckets() == []
        followed.later(1)
        (member,) = followed.claim_bucket().members
        assert member.subscription.callback == ONE
        assert member.progress.attempts == 1
        assert member.progress.error == "status 500"

    def test_does_not_keep_the_others_from_new_events(self, followed: Scene) -> None:
        followed.publish()
        claim = followed.claim_bucket()
        late = missed(claim, delay_ms=60 * MINUTE_MS)
        followed.settle(claim, {ONE: late, TWO: Reached(to=claim.head)})
        followed.publish()
        assert callbacks_of(followed.claim_bucket()) == {TWO}

    def test_is_tried_for_a_new_event_10_minutes_after_its_last_attempt(
        self, followed: Scene
    ) -> None:
        followed.publish()
        claim = followed.claim_bucket()
        late = missed(claim, delay_ms=60 * MINUTE_MS)
        followed.settle(claim, {ONE: late, TWO: Reached(to=claim.head)})
        followed.publish()
        followed.deliver()
        followed.later(10 * MINUTE_MS - 1_001)
        assert followed.claim_buckets() == []
        followed.later(1)
        assert callbacks_of(followed.claim_bucket()) == {ONE}

    def test_is_not_tried_earlier_for_an_event_it_was_tried_with(self, followed: Scene) -> None:
        """Fine print 9: progress says up to which event it was tried."""
        followed.publish()
        claim = followed.claim_bucket()
        late = missed(claim, delay_ms=60 * MINUTE_MS)
        followed.settle(claim, {ONE: late, TWO: Reached(to=claim.head)})
        followed.later(60 * MINUTE_MS - 1)
        assert followed.claim_buckets() == []
        followed.later(1)
        assert callbacks_of(followed.claim_bucket()) == {ONE}

    def test_is_not_tried_again_for_an_event_that_was_in_flight_when_its_worker_died(
        self, followed: Scene
    ) -> None:
        followed.publish()
        claim = followed.claim_bucket()
        late = missed(claim, delay_ms=60 * MINUTE_MS)
        followed.settle(claim, {ONE: late, TWO: Reached(to=claim.head)})
        next_at_ms = followed.progress(ONE).next_at_ms
        followed.publish()
        followed.deliver()  # to the other one
        followed.later(10 * MINUTE_MS)
        claim = followed.claim_bucket()
        followed.settle(claim, {ONE: pending(claim)})
        followed.later(FLIGHT_MS)
        assert followed.claim_buckets() == []
        followed.world.set_time(next_at_ms)
        assert followed.deliver() == {ONE}

    def test_its_own_time_stands_where_it_comes_before_the_10_minutes(
        self, followed: Scene
    ) -> None:
        followed.publish()
        claim = followed.claim_bucket()
        followed.settle(claim, {ONE: missed(claim), TWO: Reached(to=claim.head)})
        followed.publish()
        followed.deliver()
        followed.later(4_000)
        assert callbacks_of(followed.claim_bucket()) == {ONE}

    def test_is_not_tried_before_retry_after_not_even_for_a_new_event(
        self, followed: Scene
    ) -> None:
        followed.publish()
        claim = followed.claim_bucket()
        held = missed(claim, hold_ms=20 * MINUTE_MS)
        followed.settle(claim, {ONE: held, TWO: Reached(to=claim.head)})
        followed.publish()
        followed.deliver()
        followed.later(20 * MINUTE_MS - 1_001)
        assert followed.claim_buckets() == []
        followed.later(1)
        assert callbacks_of(followed.claim_bucket()) == {ONE}

    def test_keeps_a_retry_after_of_a_whole_day(self, followed: Scene) -> None:
        followed.publish()
        claim = followed.claim_bucket()
        followed.settle(claim, missed(claim, hold_ms=24 * 60 * MINUTE_MS))
        followed.later(24 * 60 * MINUTE_MS - 1)
        assert followed.claim_buckets() == []

    def test_counts_its_failures_until_it_succeeds(self, followed: Scene) -> None:
        followed.publish()
        for attempts in (1, 2, 3):
            claim = followed.claim_bucket()
            followed.settle(claim, {ONE: missed(claim), TWO: Reached(to=claim.head)})
            assert followed.progress(ONE).attempts == attempts
            followed.later(5_000)
        assert followed.deliver() == {ONE}
        assert followed.progress(ONE).attempts == 0
        assert followed.progress(ONE).error == ""

    def test_gets_all_that_it_missed_from_its_cursor_on(self, followed: Scene) -> None:
        start = followed.progress(ONE).cursor
        followed.publish()
        claim = followed.claim_bucket()
        followed.settle(claim, {ONE: missed(claim), TWO: Reached(to=claim.head)})
        for _ in range(3):
            followed.publish()
            followed.later(1_000)
        log = followed.workers[0].log
        claim = followed.claim_bucket()
        missing = followed.run(log.read(claim.topic_id, after=start, to=claim.head))
        assert len(missing.events) == 4

    def test_a_failure_noted_before_the_clock_went_back_holds_nobody(self, followed: Scene) -> None:
        followed.publish()
        claim = followed.claim_bucket()
        followed.settle(claim, missed(claim, delay_ms=MINUTE_MS))
        followed.later(-60 * MINUTE_MS)
        followed.publish()
        assert followed.deliver() == {ONE, TWO}

    def test_a_wait_longer_than_any_can_be_holds_nobody(self, followed: Scene) -> None:
        followed.publish()
        claim = followed.claim_bucket()
        followed.settle(claim, missed(claim, delay_ms=26 * 60 * MINUTE_MS))
        assert followed.deliver() == {ONE, TWO}

    def test_a_long_error_is_cut(self, followed: Scene) -> None:
        followed.publish()
        claim = followed.claim_bucket()
        fate = type(missed(claim))(to=claim.head, delay_ms=1, hold_ms=0, error="ü" * 200)
        followed.settle(claim, {ONE: fate})
        assert followed.progress(ONE).error == "ü" * 60


class TestWhoWasNotTried:
    """Fine print 6 and 11: what was not started is settled untried, and stays due."""

    def test_is_due_at_once_and_nothing_is_counted(self, followed: Scene) -> None:
        followed.publish()
        claim, before = followed.claim_bucket(), followed.progress(ONE)
        followed.settle(claim, {TWO: Reached(to=claim.head)})
        assert followed.progress(ONE) == before
        assert callbacks_of(followed.claim_bucket()) == {ONE}

    def test_waits_a_little_where_its_host_was_too_busy(self, followed: Scene) -> None:
        followed.publish()
        claim, before = followed.claim_bucket(), followed.progress(ONE)
        followed.settle(claim, {ONE: NoTurn(), TWO: Reached(to=claim.head)})
        assert followed.claim_buckets() == []
        assert followed.repair() == 0
        followed.later(1_999)
        assert followed.claim_buckets() == []
        followed.later(1)
        assert callbacks_of(followed.claim_bucket()) == {ONE}
        assert followed.progress(ONE) == before

    def test_waits_alone_where_something_is_published(self, followed: Scene) -> None:
        followed.publish()
        claim = followed.claim_bucket()
        followed.settle(claim, {ONE: NoTurn(), TWO: Reached(to=claim.head)})
        followed.publish()
        assert followed.deliver() == {TWO}
        followed.later(2_000)
        assert followed.deliver() == {ONE}

    def test_may_leave_while_it_waits(self, followed: Scene) -> None:
        followed.publish()
        claim = followed.claim_bucket()
        followed.settle(claim, {ONE: NoTurn(), TWO: Reached(to=claim.head)})
        followed.unsubscribe(ONE)
        followed.later(2_000)
        assert followed.claim_buckets() == []
        assert followed.place(ONE) is None

    def test_the_lease_of_a_claim_counts_from_within_the_claim_call(self, followed: Scene) -> None:
        followed.publish()
        claim = followed.claim_bucket()
        ends = followed.redis.zscore(followed.key(f"ready:{claim.topic_id}"), claim.bucket)
        assert ends == followed.world.now + 30_000


def test_gone_ends_one_subscription_and_no_other(followed: Scene) -> None:
    followed.publish()
    claim = followed.claim_bucket()
    followed.settle(claim, {ONE: Left(), TWO: Reached(to=claim.head)})
    assert followed.place(ONE) is None
    assert followed.redis.zcard(followed.key("wl:ready")) == 0
    followed.publish()
    assert followed.deliver() == {TWO}
    assert followed.field("subscriptions") == b"1"
