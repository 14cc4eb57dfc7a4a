"""When a lease ends, and when it does not (fine print 4)."""

from hub.protocol.requests import Mode
from hub.store.outcomes import Reached
from hub.store.requests import Verdict
from tests.store.conftest import SceneWith
from tests.store.scene import (
    ONE,
    THREE,
    TOPIC,
    TWO,
    Scene,
)


class TestLeases:
    """Fine print 4."""

    def test_a_lease_counts_from_the_claim_of_its_verification(self, scene: Scene) -> None:
        scene.subscribe(TWO)
        scene.accept(ONE, lease_s=60)
        scene.later(5_000)
        (claim,) = scene.claim_requests()
        scene.later(5_000)
        scene.settle_request(claim)
        scene.later(54_999)
        assert scene.expire() == []
        scene.later(1)
        assert scene.expire() == [(TOPIC, ONE)]
        assert scene.place(ONE) is None

    def test_its_end_is_read_again_after_a_renewal(self, scene: Scene) -> None:
        scene.subscribe(ONE, lease_s=60)
        scene.subscribe(ONE, lease_s=600)
        scene.later(500_000)
        assert scene.expire() == []
        scene.later(100_000)
        assert scene.expire() == [(TOPIC, ONE)]

    def test_a_renewal_may_shorten_it(self, scene: Scene) -> None:
        scene.subscribe(ONE, lease_s=600)
        scene.subscribe(ONE, lease_s=60)
        scene.later(60_000)
        assert scene.expire() == [(TOPIC, ONE)]

    def test_it_does_not_end_while_a_renewal_accepted_before_is_pending(self, scene: Scene) -> None:
        scene.subscribe(ONE, lease_s=60)
        scene.later(59_000)
        scene.accept(ONE)
        scene.later(10_000)
        assert scene.expire() == []
        scene.publish()
        assert scene.deliver() == {ONE}
        (claim,) = scene.claim_requests()
        scene.settle_request(claim)
        scene.later(60_000)
        assert scene.expire() == []

    def test_it_ends_soon_after_such_a_renewal_was_refused(self, scene: Scene) -> None:
        scene.subscribe(ONE, lease_s=60)
        scene.later(59_000)
        scene.accept(ONE)
        scene.later(10_000)
        scene.expire()
        (claim,) = scene.claim_requests()
        scene.settle_request(claim, Verdict.REFUSED)
        scene.later(5_000)
        assert scene.expire() == [(TOPIC, ONE)]

    def test_a_renewal_accepted_after_its_end_does_not_hold_it(self, scene: Scene) -> None:
        scene.subscribe(ONE, lease_s=60)
        scene.later(61_000)
        scene.accept(ONE)
        assert scene.expire() == [(TOPIC, ONE)]

    def test_a_pending_unsubscription_does_not_hold_it(self, scene: Scene) -> None:
        scene.subscribe(ONE, lease_s=60)
        scene.later(59_000)
        scene.accept(ONE, mode=Mode.UNSUBSCRIBE)
        scene.later(10_000)
        assert scene.expire() == [(TOPIC, ONE)]

    def test_who_is_over_is_not_delivered_to_before_the_list_says_so(self, scene: Scene) -> None:
        scene.subscribe(ONE, lease_s=60)
        scene.subscribe(TWO)
        scene.later(60_000)
        scene.publish()
        assert scene.deliver() == {TWO}

    def test_only_those_that_are_over_end(self, scene: Scene) -> None:
        for callback, lease_s in (
            (ONE, 600),
            (TWO, 120),
            (THREE, 122),
            ("http://s.example/4", 600),
        ):
            scene.accept(callback, lease_s=lease_s)
        scene.later(20_000)
        for claim in scene.claim_requests():
            scene.settle_request(claim)
        scene.later(120_000)
        assert scene.expire() == [(TOPIC, TWO)]
        scene.later(2_000)
        assert scene.expire() == [(TOPIC, THREE)]
        scene.later(478_000)
        assert len(scene.expire()) == 2

    def test_many_that_are_over_at_once_end_a_bucket_at_a_time(self, scene_with: SceneWith) -> None:
        """Fine print 11: no script holds Redis for long."""
        scene = scene_with(bucket_size=2)
        callbacks = [f"http://s.example/{number}" for number in range(6)]
        scene.subscribe(*callbacks, lease_s=60)
        scene.later(60_000)
        buckets = scene.workers[0].buckets
        first = scene.run(buckets.expire(limit=16))
        assert (len(first.claims), first.wait_ms) == (2, 0)
        rest = [*scene.expire(), *scene.expire()]
        assert {callback for _, callback in [*first.claims, *rest]} == set(callbacks)

    def test_a_member_of_a_claimed_bucket_ends_without_disturbing_the_claim(
        self, scene: Scene
    ) -> None:
        scene.subscribe(ONE, lease_s=60)
        scene.subscribe(TWO)
        scene.later(55_000)
        scene.publish()
        claim = scene.claim_bucket()
        scene.later(5_000)
        assert scene.expire() == [(TOPIC, ONE)]
        assert scene.progress(ONE).incarnation == 0  # fine print 5: kept while it is claimed
        assert scene.settle(claim, Reached(to=claim.head))
        assert scene.place(ONE) is None
        assert scene.progress(TWO).cursor == claim.head
