"""What was written before the clock went back an hour holds nothing up (invariant 9)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from hub.protocol.urls import topic_id
from hub.store.requests import Verdict
from tests.store.scene import FAILED, ONE, SAME, TOPIC, TWO, Scene, missed, pending

ID = topic_id(TOPIC)
HOUR_MS = 3_600_000
_REFUSED = Verdict.REFUSED


class TestTheClockGoesBackAnHour:
    def everything(self, scene: Scene) -> dict[str, int]:
        """Does all that is due within five minutes of a repair; says how much there was."""
        scene.repair()
        done = {"fetches": 0, "requests": 0, "deliveries": 0}
        for _ in range(10):
            scene.later(30_000)
            for fetch in scene.claim_fetches():
                scene.append(fetch, replace(SAME, recheck_ms=(-1, -1)))
                done["fetches"] += 1
            for request in scene.claim_requests():
                scene.settle_request(request)
                done["requests"] += 1
            done["deliveries"] += len(scene.deliver())
        return done

    def waiting(self, scene: Scene) -> None:
        pass

    def claimed(self, scene: Scene) -> None:
        scene.claim_fetches()
        scene.claim_requests()
        scene.claim_buckets()

    def failed(self, scene: Scene) -> None:
        for fetch in scene.claim_fetches():
            scene.append(fetch, replace(FAILED, retry_ms=HOUR_MS))
        for claim in scene.claim_buckets():
            scene.settle(claim, missed(claim, delay_ms=HOUR_MS))

    def in_flight(self, scene: Scene) -> None:
        for claim in scene.claim_buckets():
            scene.settle(claim, pending(claim))

    @pytest.mark.parametrize("state", ["waiting", "claimed", "failed", "in_flight"])
    def test_everything_still_gets_done_soon(self, scene: Scene, state: str) -> None:
        scene.subscribe(ONE)
        scene.publish()
        scene.accept(TWO)
        scene.later(1_000)
        scene.ping()
        act: Callable[[Scene], None] = getattr(self, state)
        act(scene)
        scene.later(-HOUR_MS)
        done = self.everything(scene)
        assert done["fetches"] >= 1
        assert done["requests"] == 1
        assert done["deliveries"] == 1

    def test_a_claim_does_not_hold_a_request_where_it_is_less_than_a_minute(
        self, scene: Scene
    ) -> None:
        scene.subscribe(TWO)
        scene.accept(ONE)
        scene.later(1_000)
        scene.claim_requests()
        scene.later(-20_000)
        assert scene.repair() == 1
        assert len(scene.claim_requests()) == 1

    def test_a_request_that_waits_for_a_baseline_is_verified(self, scene: Scene) -> None:
        scene.accept(ONE)
        scene.later(-HOUR_MS)
        scene.repair()
        assert len(scene.claim_requests()) == 1

    def test_a_ping_of_before_hurries_one_fetch_and_not_all_that_follow(self, scene: Scene) -> None:
        scene.subscribe(ONE)
        scene.later(1_000)
        scene.ping()
        scene.later(-HOUR_MS)
        assert scene.repair() == 1
        (claim,) = scene.claim_fetches()
        scene.append(claim, SAME)  # comes back in 10 s
        scene.later(1_000)
        assert scene.repair() == 0
        assert scene.claim_fetches() == []

    def test_a_fetch_under_way_is_left_alone(self, scene: Scene) -> None:
        scene.subscribe(ONE)
        scene.later(-HOUR_MS)
        scene.ping()
        (claim,) = scene.claim_fetches()
        assert scene.repair() == 0
        scene.append(claim, replace(SAME, recheck_ms=(-1, -1)))
        scene.later(1_000)
        assert scene.claim_fetches() == []

    def test_leases_still_end(self, scene: Scene) -> None:
        scene.subscribe(ONE, lease_s=7_200)
        scene.later(-HOUR_MS)
        scene.repair()
        scene.later(3 * HOUR_MS)
        assert scene.expire() == [(TOPIC, ONE)]

    def test_a_lease_held_for_a_renewal_is_looked_at_again(self, scene: Scene) -> None:
        scene.subscribe(ONE, lease_s=60)
        scene.later(59_000)
        scene.accept(ONE)
        scene.later(2_000)
        assert scene.expire() == []
        scene.later(-HOUR_MS)
        scene.repair()
        (claim,) = scene.claim_requests()
        scene.settle_request(claim, _REFUSED)
        scene.later(HOUR_MS)
        assert scene.expire() == [(TOPIC, ONE)]

    def test_a_second_pass_finds_nothing_missing(self, busy: Scene) -> None:
        busy.later(-HOUR_MS)
        busy.repair()
        assert busy.repair() == 0
