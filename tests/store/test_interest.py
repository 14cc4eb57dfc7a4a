"""Topics that are only read: kept and fetched while somebody comes back, and then forgotten."""

import pytest

from hub.protocol.urls import topic_id
from hub.store.event_id import BEFORE_ALL, EventId
from hub.store.history import Stretch
from hub.store.topics import Appended
from tests.store.conftest import SceneWith
from tests.store.scene import FAILED, NEWS, ONE, TOPIC, Scene
from tests.store.test_bell import Ear

DAY_MS = 86_400_000
ID = topic_id(TOPIC)


def read(scene: Scene, *, after: EventId = BEFORE_ALL, limit: int = 100) -> Stretch:
    history = scene.workers[0].history
    return scene.run(history.read(ID, after=after, to=None, limit=limit, bytes_max=10**6))


def follow(scene: Scene, url: str = TOPIC) -> bool:
    return scene.run(scene.workers[0].history.follow(url))


def repair(scene: Scene) -> None:
    scene.repair()


@pytest.fixture
def only_read(scene: Scene) -> Scene:
    """A topic with a baseline, without subscriptions."""
    assert follow(scene)
    (claim,) = scene.claim_fetches()
    scene.append(claim, NEWS)
    return scene


class TestATopicThatIsRead:
    def test_is_fetched_for_its_baseline_once(self, scene: Scene) -> None:
        assert follow(scene)
        assert not follow(scene)
        assert len(scene.claim_fetches()) == 1

    def test_is_fetched_on_a_ping_and_its_events_are_kept(self, only_read: Scene) -> None:
        before = read(only_read)
        only_read.publish()
        after = read(only_read)
        assert before.events == ()
        assert [event_id for event_id, _ in after.events] == [after.head]
        assert after.complete_to == after.head

    def test_outlives_its_last_subscription(self, scene: Scene) -> None:
        scene.subscribe(ONE)
        read(scene)
        scene.unsubscribe(ONE)
        assert scene.field("url") is not None
        assert scene.ping() == 1

    def test_is_forgotten_when_nobody_has_read_it_for_long(self, only_read: Scene) -> None:
        only_read.publish()
        only_read.later(6 * DAY_MS)
        repair(only_read)
        read(only_read)
        only_read.later(6 * DAY_MS)
        repair(only_read)
        assert only_read.field("url") is not None
        only_read.later(2 * DAY_MS)
        repair(only_read)
        assert only_read.key_names() == {"clock", "log_total"}

    def test_is_kept_for_its_subscribers_all_the_same(self, scene: Scene) -> None:
        scene.subscribe(ONE)
        read(scene)
        scene.later(8 * DAY_MS)
        repair(scene)
        assert scene.field("url") is not None

    def test_is_not_kept_for_ever_where_the_clock_went_back(self, only_read: Scene) -> None:
        only_read.later(-30 * DAY_MS)
        repair(only_read)
        assert only_read.field("url") is None

    def test_that_is_not_known_leaves_no_trace(self, scene: Scene) -> None:
        read(scene)
        assert scene.key_names() == set()

    def test_whose_first_fetch_fails_is_kept_for_the_next(self, scene: Scene) -> None:
        follow(scene)
        (claim,) = scene.claim_fetches()
        scene.append(claim, FAILED)
        scene.later(10_000)
        assert len(scene.claim_fetches()) == 1


class TestWhereHistoryStarts:
    def test_it_starts_with_the_record(self, scene: Scene) -> None:
        scene.subscribe(ONE)
        scene.publish()
        scene.unsubscribe(ONE)
        assert scene.field("url") is None
        follow(scene)
        found = read(scene)
        assert found.start > BEFORE_ALL
        assert found.complete_to == found.start

    def test_it_starts_behind_what_was_trimmed(self, scene_with: SceneWith) -> None:
        scene = scene_with(history_events=2)
        scene.subscribe(ONE)
        for _ in range(4):
            scene.publish()
        found = read(scene)
        assert str(found.start).encode() == scene.field("trimmed_to")
        assert len(found.events) == 2


class TestReading:
    def test_goes_in_pages_over_slices(self, scene_with: SceneWith) -> None:
        scene = scene_with(read_slice=3)
        scene.subscribe(ONE)
        for _ in range(10):
            scene.publish()
        everything = [event_id for event_id, _ in read(scene).events]
        assert len(everything) == 10
        for limit in range(1, 12):
            cursor, seen = BEFORE_ALL, list[EventId]()
            while cursor < everything[-1]:
                found = read(scene, after=cursor, limit=limit)
                assert len(found.events) <= limit
                seen += [event_id for event_id, _ in found.events]
                cursor = found.complete_to
            assert seen == everything

    def test_an_event_of_any_size_comes_and_no_second_one_then(self, scene: Scene) -> None:
        scene.subscribe(ONE)
        for _ in range(3):
            scene.publish()
        history = scene.workers[0].history
        found = scene.run(history.read(ID, after=BEFORE_ALL, to=None, limit=100, bytes_max=1))
        ((event_id, _),) = found.events
        assert found.complete_to == event_id

    def test_nothing_comes_from_behind_the_end_that_is_given(self, scene: Scene) -> None:
        scene.subscribe(ONE)
        for _ in range(3):
            scene.publish()
        first, second, _ = (event_id for event_id, _ in read(scene).events)
        history = scene.workers[0].history
        found = scene.run(history.read(ID, after=BEFORE_ALL, to=second, limit=100, bytes_max=10**6))
        assert [event_id for event_id, _ in found.events] == [first, second]
        assert found.complete_to == second


class TestNews:
    @pytest.fixture
    def ear(self, scene: Scene) -> Ear:
        return Ear(scene.redis, scene.key("news"))

    def test_an_event_is_published_where_somebody_reads(self, only_read: Scene, ear: Ear) -> None:
        only_read.ping()
        (claim,) = only_read.claim_fetches()
        appended = only_read.append(claim, NEWS)
        assert isinstance(appended, Appended)
        assert ear.heard() == [f"{ID} {appended.event_id}"]
        ear.close()

    def test_and_not_where_nobody_does(self, scene: Scene, ear: Ear) -> None:
        scene.subscribe(ONE)
        scene.publish()
        assert ear.heard() == []
        ear.close()
