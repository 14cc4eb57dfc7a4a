"""How an event comes to all buckets of a topic (fine print 11, and the fast path)."""

import pytest

from hub.protocol.urls import topic_id
from hub.store.outcomes import Reached
from hub.store.topics import Appended
from tests.store.conftest import SceneWith
from tests.store.scene import (
    FLIGHT_MS,
    NEWS,
    ONE,
    TOPIC,
    TWO,
    Scene,
    callbacks_of,
    missed,
    pending,
)

MINUTE_MS = 60_000


class TestASweepInSlices:
    """Fine print 11: Adds go in slices, and a stop between two of them loses nobody."""

    EACH = tuple(f"http://s.example/{number}" for number in range(7))

    @pytest.fixture
    def wide(self, scene_with: SceneWith) -> Scene:
        scene = scene_with(bucket_size=1, sweep_slice=2, claim_steps=1, buckets_per_topic=1)
        scene.subscribe(*self.EACH)
        return scene

    def test_an_append_adds_only_the_first_slice(self, wide: Scene) -> None:
        wide.publish()
        assert wide.redis.zcard(wide.key(f"ready:{topic_id(TOPIC)}")) == 2
        assert wide.field("sweep") == b"3"

    def test_the_claims_that_follow_add_the_rest(self, wide: Scene) -> None:
        wide.publish()
        assert wide.deliver() == set(self.EACH)
        assert wide.field("sweep") is None

    def test_workers_that_die_between_slices_lose_nobody(self, wide: Scene) -> None:
        wide.publish()
        wide.claim_buckets()
        wide.claim_buckets()
        wide.later(30_000)
        assert wide.deliver() == set(self.EACH)

    def test_a_second_event_during_the_sweep_reaches_all(self, wide: Scene) -> None:
        wide.publish()
        (claim,) = wide.claim_buckets()
        wide.settle(claim, Reached(to=claim.head))
        wide.publish()
        assert wide.deliver() == set(self.EACH)
        assert {wide.progress(callback).cursor for callback in self.EACH} == {wide.head()}

    def test_who_leaves_during_the_sweep_is_no_trouble(self, wide: Scene) -> None:
        wide.publish()
        wide.unsubscribe(*self.EACH[3:])
        assert wide.deliver() == set(self.EACH[:3])
        assert wide.field("sweep") is None


class TestTheFastPath:
    """Design: append claims the topic's only bucket and returns its roster."""

    def test_the_one_bucket_comes_with_the_event(self, followed: Scene) -> None:
        answer = followed.publish(is_bucket_wanted=True)
        assert answer.bucket is not None
        assert callbacks_of(answer.bucket) == {ONE, TWO}
        assert answer.bucket.head == answer.event_id
        assert followed.claim_buckets() == []
        assert followed.settle(answer.bucket, Reached(to=answer.bucket.head))
        assert followed.claim_buckets() == []

    def test_it_names_the_event_before(self, followed: Scene) -> None:
        first = followed.publish().event_id
        assert followed.publish(is_bucket_wanted=True).before == first

    def test_it_falls_due_again_where_its_worker_dies(self, followed: Scene) -> None:
        followed.publish(is_bucket_wanted=True)
        followed.later(30_000)
        assert followed.deliver() == {ONE, TWO}

    def test_a_bucket_that_is_claimed_is_not_given_twice(self, followed: Scene) -> None:
        followed.publish()
        claim = followed.claim_bucket()
        assert followed.publish(is_bucket_wanted=True).bucket is None
        followed.settle(claim, Reached(to=claim.head))
        assert followed.deliver() == {ONE, TWO}

    def test_only_who_is_due_comes_with_it(self, followed: Scene) -> None:
        followed.publish()
        claim = followed.claim_bucket()
        followed.settle(claim, {ONE: missed(claim), TWO: Reached(to=claim.head)})
        answer = followed.publish(is_bucket_wanted=True)
        assert answer.bucket is not None
        assert callbacks_of(answer.bucket) == {TWO}

    def test_where_nobody_is_due_no_bucket_comes(self, followed: Scene) -> None:
        followed.publish()
        claim = followed.claim_bucket()
        followed.settle(claim, pending(claim))
        assert followed.publish(is_bucket_wanted=True).bucket is None
        followed.later(FLIGHT_MS)
        assert followed.deliver() == {ONE, TWO}

    def test_several_buckets_go_the_common_way(self, scene_with: SceneWith) -> None:
        scene = scene_with(bucket_size=1)
        scene.subscribe(ONE, TWO)
        assert scene.publish(is_bucket_wanted=True).bucket is None
        assert scene.deliver() == {ONE, TWO}

    def test_it_is_not_taken_unasked(self, followed: Scene) -> None:
        assert followed.publish(is_bucket_wanted=False).bucket is None

    def test_a_silent_first_document_claims_nothing(self, scene: Scene) -> None:
        scene.accept(ONE)
        (fetch,) = scene.claim_fetches()
        answer = scene.append(fetch, NEWS, is_bucket_wanted=True)
        assert answer == Appended(event_id=None, before=None, bucket=None)
