"""Whatever a work list has lost, the records bring back (invariant 9)."""

from dataclasses import replace

import pytest

from hub.protocol.requests import Mode
from hub.protocol.urls import topic_id
from hub.store.requests import Verdict
from hub.store.topics import Appended
from tests.store.conftest import SceneWith
from tests.store.scene import (
    FAILED,
    FLIGHT_MS,
    ONE,
    SAME,
    THREE,
    TOPIC,
    TWO,
    Scene,
    pending,
)

ID = topic_id(TOPIC)
HOUR_MS = 3_600_000
_REFUSED = Verdict.REFUSED


def lists(scene: Scene) -> dict[str, object]:
    names = ["wl:pinged", "wl:unverified", "wl:ready", "wl:ending", f"ready:{ID}"]
    return {name: set(scene.redis.zrange(scene.key(name), 0, -1)) for name in names}


def test_where_nothing_is_missing_nothing_is_done(busy: Scene) -> None:
    before = {
        name: busy.redis.zrange(busy.key(name), 0, -1, withscores=True) for name in lists(busy)
    }
    assert busy.repair() == 0
    after = {
        name: busy.redis.zrange(busy.key(name), 0, -1, withscores=True) for name in lists(busy)
    }
    assert after == before


def test_where_there_is_nothing_nothing_is_missing(scene: Scene) -> None:
    assert scene.repair() == 0


@pytest.mark.parametrize(
    ("lost", "missing"),
    [
        pytest.param(["wl:pinged"], 1, id="the fetches"),
        pytest.param(["wl:unverified"], 1, id="the requests"),
        pytest.param(["wl:ready"], 1, id="the topics with somebody behind"),
        pytest.param([f"ready:{ID}"], 3, id="the buckets of a topic"),
        pytest.param(["wl:ready", f"ready:{ID}"], 3, id="the buckets and their index"),
        pytest.param(["wl:ending"], 3, id="the leases"),
        pytest.param(
            ["wl:pinged", "wl:unverified", "wl:ready", f"ready:{ID}", "wl:ending"], 8, id="all"
        ),
    ],
)
def test_a_lost_list_is_put_back_and_counted(busy: Scene, lost: list[str], missing: int) -> None:
    before = lists(busy)
    busy.redis.delete(*(busy.key(name) for name in lost))
    assert busy.repair() == missing
    assert lists(busy) == before
    assert busy.repair() == 0


def test_what_is_put_back_has_the_time_that_the_records_say(busy: Scene) -> None:
    key = busy.key(f"ready:{ID}")
    busy.deliver()
    before = busy.redis.zrange(key, 0, -1, withscores=True)
    assert len(before) == 2  # one fails, one is in flight
    busy.redis.delete(key)
    busy.repair()
    assert busy.redis.zrange(key, 0, -1, withscores=True) == before


class TestLostClaims:
    @pytest.fixture
    def claimed(self, busy: Scene) -> Scene:
        busy.redis.delete(busy.key("wl:unverified"))
        busy.repair()
        assert len(busy.claim_fetches()) == 1
        assert len(busy.claim_buckets()) == 1
        assert len(busy.claim_requests()) == 1
        return busy

    def test_what_was_worked_on_falls_due_by_itself(self, claimed: Scene) -> None:
        claims = [key for key in claimed.key_names() if key.endswith(":claims")]
        assert len(claims) == 3
        claimed.redis.delete(*(claimed.key(key) for key in claims))
        claimed.repair()
        claimed.later(30_000)
        assert len(claimed.claim_fetches()) == 1
        assert len(claimed.claim_requests()) == 1
        assert claimed.claim_buckets()

    @pytest.mark.parametrize("name", ["wl:pinged", "wl:unverified", f"ready:{ID}"])
    def test_a_time_lost_during_a_claim_is_put_back_at_its_end(
        self, claimed: Scene, name: str
    ) -> None:
        ends = claimed.world.now + 30_000
        claimed.redis.delete(claimed.key(name))
        assert claimed.repair() >= 1
        scores = [score for _, score in claimed.redis.zrange(claimed.key(name), 0, -1, True, True)]
        assert ends in scores
        assert claimed.repair() == 0

    def test_a_fetch_that_nobody_finished_is_made_where_list_and_claim_are_lost(
        self, claimed: Scene
    ) -> None:
        claimed.redis.delete(claimed.key("wl:pinged"), claimed.key("wl:pinged:claims"))
        claimed.later(60_000)
        assert claimed.repair() >= 1
        assert len(claimed.claim_fetches()) == 1


class TestFetchesThatTheRecordsKnowOf:
    @pytest.fixture
    def followed(self, scene: Scene) -> Scene:
        scene.subscribe(ONE)
        return scene

    def lose(self, scene: Scene) -> int:
        scene.redis.delete(scene.key("wl:pinged"), scene.key("wl:pinged:claims"))
        return scene.repair()

    def test_the_baseline_of_a_new_topic(self, scene: Scene) -> None:
        scene.accept(ONE)
        assert self.lose(scene) == 1
        assert len(scene.claim_fetches()) == 1

    def test_a_second_look_at_its_own_time(self, followed: Scene) -> None:
        followed.publish(record=SAME)
        assert self.lose(followed) == 1
        followed.later(9_999)
        assert followed.claim_fetches() == []
        followed.later(1)
        assert len(followed.claim_fetches()) == 1

    def test_a_failed_one_at_its_own_time(self, followed: Scene) -> None:
        followed.publish(record=replace(FAILED, retry_ms=300_000))
        assert self.lose(followed) == 1
        followed.later(299_999)
        assert followed.claim_fetches() == []
        followed.later(1)
        assert len(followed.claim_fetches()) == 1

    def test_none_where_all_was_fetched(self, followed: Scene) -> None:
        followed.publish()
        assert self.lose(followed) == 0

    def test_one_that_waits_for_its_allowance_is_not_missing(self, followed: Scene) -> None:
        followed.later(60_000)
        for _ in range(11):
            followed.ping()
            for claim in followed.claim_fetches():
                assert isinstance(followed.append(claim), Appended)
        followed.ping()
        followed.claim_fetches()
        assert followed.repair() == 0


class TestASweepThatGoesOn:
    def test_buckets_it_has_not_come_to_are_not_missing(self, scene_with: SceneWith) -> None:
        scene = scene_with(bucket_size=1, sweep_slice=1)
        scene.subscribe(ONE, TWO, THREE)
        scene.publish()
        assert scene.repair() == 0

    def test_its_topic_is_put_back(self, scene_with: SceneWith) -> None:
        scene = scene_with(bucket_size=1, sweep_slice=1)
        scene.subscribe(ONE, TWO, THREE)
        scene.publish()
        scene.redis.delete(scene.key("wl:ready"), scene.key(f"ready:{ID}"))
        assert scene.repair() == 2
        assert scene.deliver() == {ONE, TWO, THREE}


class TestManyRecords:
    def test_all_topics_are_seen_in_slices(self, scene: Scene) -> None:
        for number in range(300):
            scene.accept(ONE, topic=f"{TOPIC}/{number}")
        scene.redis.delete(scene.key("wl:pinged"))
        assert scene.repair() == 300
        assert len(scene.claim_fetches()) == 300

    def test_all_slices_are_seen_while_others_are_settled(self, scene: Scene) -> None:
        """Settling shifts what is left; a pass that counts places would skip some."""
        callbacks = [f"http://s.example/{number}" for number in range(250)]
        scene.subscribe(ONE)
        for callback in callbacks:
            scene.accept(callback)
        scene.later(1_000)
        claims = sorted(scene.claim_requests(), key=lambda claim: claim.number)
        lost = [claim.number for claim in claims[150:]]
        scene.redis.zrem(scene.key("wl:unverified"), *lost)
        scene.redis.hdel(scene.key("wl:unverified:claims"), *map(str, lost))

        async def run() -> int:
            total = 0
            async for missing in scene.workers[0].repair.run():
                total += missing
                while claims[:100] and claims[0].number not in lost:
                    await scene.workers[0].requests.release(claims[0])
                    (again, *_) = (await scene.workers[0].requests.claim(limit=1)).claims
                    await scene.workers[0].requests.settle(again, _REFUSED)
                    claims.pop(0)
            return total

        assert scene.run(run()) == len(lost)

    def test_a_number_without_a_request_is_forgotten(self, scene: Scene) -> None:
        scene.redis.zadd(scene.key("requests"), {"7": 7})
        assert scene.repair() == 0
        assert scene.redis.zcard(scene.key("requests")) == 0


def test_a_slot_that_is_to_be_removed_is_put_back(scene: Scene) -> None:
    scene.subscribe(ONE)
    scene.publish()
    claim = scene.claim_bucket()
    scene.settle(claim, pending(claim))
    scene.unsubscribe(ONE)
    scene.redis.delete(scene.key(f"ready:{ID}"), scene.key("wl:ready"))
    assert scene.repair() == 1
    scene.later(FLIGHT_MS)
    scene.deliver()
    assert scene.place(ONE) is None


def test_a_pending_unsubscription_is_put_back(scene: Scene) -> None:
    scene.subscribe(ONE)
    scene.accept(ONE, mode=Mode.UNSUBSCRIBE)
    scene.redis.delete(scene.key("wl:unverified"))
    assert scene.repair() == 1
    (claim,) = scene.claim_requests()
    scene.settle_request(claim)
    assert scene.place(ONE) is None
