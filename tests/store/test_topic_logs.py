"""Events, what is kept of them, and how trimming shows (invariant 7, fine print 7)."""

from dataclasses import replace

import pytest

from hub.protocol.urls import topic_id
from hub.store.event_id import BEFORE_ALL, EventId
from hub.store.log import WholeEvent
from hub.store.topics import FetchRecord
from tests.store.conftest import SceneWith
from tests.store.scene import FAILED, NEWS, ONE, SAME, TOPIC, Scene, callbacks_of

ID = topic_id(TOPIC)
DAY_MS = 86_400_000


def whole(content_type: str) -> FetchRecord:
    """An event of a size that the test chooses: 3 bytes and the type."""
    return replace(NEWS, event=WholeEvent(content_type=content_type))


@pytest.fixture
def followed(scene: Scene) -> Scene:
    scene.subscribe(ONE)
    return scene


class TestEventIds:
    def test_they_are_the_time_of_the_append(self, followed: Scene) -> None:
        assert followed.publish().event_id == EventId(followed.world.now, 0)

    def test_two_in_one_millisecond_differ_over_all_topics(self, scene: Scene) -> None:
        topics = [f"{TOPIC}/{number}" for number in range(3)]
        for topic in topics:
            scene.subscribe(ONE, topic=topic)
        for topic in topics:
            scene.ping(topic)
        ids = []
        for claim in scene.claim_fetches():
            answer = scene.append(claim)
            ids.append(getattr(answer, "event_id", None))
        assert ids == [EventId(scene.world.now, seq) for seq in range(3)]

    def test_the_second_of_a_millisecond_is_news_to_who_had_the_first(
        self, followed: Scene
    ) -> None:
        ids = []
        for _ in range(2):
            followed.ping()
            (claim,) = followed.claim_fetches()
            ids.append(getattr(followed.append(claim), "event_id", None))
            assert followed.deliver() == {ONE}
        assert ids == [EventId(followed.world.now, 0), EventId(followed.world.now, 1)]

    @pytest.mark.parametrize("back_ms", [1, 3_600_000])
    def test_they_never_go_back_when_the_clock_does(self, followed: Scene, back_ms: int) -> None:
        first = followed.publish().event_id
        followed.later(-back_ms - 1_000)
        second = followed.publish().event_id
        third = followed.publish().event_id
        assert first is not None
        assert second is not None
        assert third is not None
        assert first < second < third
        assert followed.deliver() == {ONE}
        assert followed.progress().cursor == third


class TestReadingTheLog:
    """Fine print 7."""

    def test_events_after_the_cursor_up_to_the_claimed_head(self, followed: Scene) -> None:
        ids = [followed.publish().event_id for _ in range(3)]
        claim = followed.claim_bucket()
        followed.publish()  # not in the claim
        assert ids[0] is not None
        log = followed.workers[0].log
        found = followed.run(log.read(claim.topic_id, after=ids[0], to=claim.head))
        assert [event_id for event_id, _ in found.events] == ids[1:]
        assert found.trimmed_to == BEFORE_ALL

    def test_what_was_trimmed_comes_with_what_is_left(self, scene_with: SceneWith) -> None:
        scene = scene_with(history_events=2)
        scene.subscribe(ONE)
        ids = [scene.publish().event_id for _ in range(5)]
        claim = scene.claim_bucket()
        found = scene.run(scene.workers[0].log.read(ID, after=BEFORE_ALL, to=claim.head))
        assert found.trimmed_to == ids[2]
        assert [event_id for event_id, _ in found.events] == ids[3:]

    def test_an_event_comes_back_as_it_was_written(self, followed: Scene) -> None:
        followed.publish(record=whole("text/html; charset=ü"))
        found = followed.run(followed.workers[0].log.read(ID, after=BEFORE_ALL, to=followed.head()))
        assert [event for _, event in found.events] == [
            WholeEvent(content_type="text/html; charset=ü")
        ]


class TestTheWholeDocument:
    def test_is_the_newest_body_and_the_last_event_it_holds(self, followed: Scene) -> None:
        facts = {"content_type": b"text/plain; a=\xe9"}
        body = bytes(range(256)) * 5_000  # 1.28 MB
        followed.publish(record=replace(NEWS, body=body, facts=facts))
        document = followed.run(followed.workers[0].log.read_whole(ID))
        assert document.body == body
        assert document.first == document.head == followed.head()
        assert document.content_type == "text/plain; a=é"

    def test_comes_with_the_first_event_after_the_cursor(self, followed: Scene) -> None:
        ids = [followed.publish().event_id or BEFORE_ALL for _ in range(3)]
        log = followed.workers[0].log
        for after, first in ((BEFORE_ALL, ids[0]), (ids[0], ids[1]), (ids[2], ids[2])):
            document = followed.run(log.read_whole(ID, after=after))
            assert (document.first, document.head) == (first, ids[2])

    def test_stays_where_a_fetch_brings_none(self, followed: Scene) -> None:
        followed.publish(record=replace(NEWS, body=b"first"))
        followed.publish(record=SAME)
        followed.publish(record=FAILED)
        assert followed.run(followed.workers[0].log.read_whole(ID)).body == b"first"

    def test_is_kept_also_where_the_first_document_was_silent(self, scene: Scene) -> None:
        scene.accept(ONE)
        (fetch,) = scene.claim_fetches()
        scene.append(fetch, replace(NEWS, body=b"silent"))
        document = scene.run(scene.workers[0].log.read_whole(ID))
        assert (document.body, document.head) == (b"silent", BEFORE_ALL)

    def test_is_empty_where_nothing_was_read(self, scene: Scene) -> None:
        document = scene.run(scene.workers[0].log.read_whole(ID))
        assert (document.body, document.content_type) == (b"", "application/octet-stream")


class TestTrimming:
    """Invariant 7: never a silent hole."""

    def events(self, scene: Scene) -> int:
        length: int = scene.redis.xlen(scene.key(f"log:{ID}"))
        assert scene.field("log_length") == str(length).encode()
        return length

    def test_by_count(self, scene_with: SceneWith) -> None:
        scene = scene_with(history_events=3)
        scene.subscribe(ONE)
        ids = [scene.publish().event_id for _ in range(5)]
        assert self.events(scene) == 3
        assert EventId.parse(scene.field("trimmed_to")) == ids[1]

    def test_by_bytes(self, scene_with: SceneWith) -> None:
        scene = scene_with(history_bytes=309)
        scene.subscribe(ONE)
        ids = [scene.publish(record=whole("x" * 100)).event_id for _ in range(4)]
        assert self.events(scene) == 3
        assert scene.field("log_bytes") == b"309"
        assert EventId.parse(scene.field("trimmed_to")) == ids[0]

    def test_by_age(self, followed: Scene) -> None:
        first = followed.publish().event_id
        followed.later(7 * DAY_MS - 1_000)
        followed.publish()
        assert self.events(followed) == 2
        followed.publish()
        assert self.events(followed) == 2
        assert EventId.parse(followed.field("trimmed_to")) == first

    def test_by_age_also_where_nothing_new_comes(self, followed: Scene) -> None:
        first = followed.publish().event_id
        followed.later(7 * DAY_MS + 1)
        followed.repair()
        assert self.events(followed) == 0
        assert EventId.parse(followed.field("trimmed_to")) == first == followed.head()
        assert followed.deliver() == {ONE}

    def test_by_the_total_of_the_hub_but_never_the_last_event(self, scene_with: SceneWith) -> None:
        scene = scene_with(history_total_bytes=500)
        other = f"{TOPIC}/other"
        scene.subscribe(ONE)
        scene.subscribe(ONE, topic=other)
        for _ in range(4):
            scene.publish(record=whole("x" * 100))
        assert self.events(scene) == 4
        for _ in range(2):
            scene.publish(other, whole("x" * 100))
        assert scene.redis.xlen(scene.key(f"log:{topic_id(other)}")) == 1
        scene.publish(record=whole("x" * 100))
        assert self.events(scene) == 3
        assert scene.redis.get(scene.key("log_total")) == b"412"

    def test_the_total_counts_what_is_there(self, scene_with: SceneWith) -> None:
        scene = scene_with(history_events=2)
        scene.subscribe(ONE)
        for size in (10, 20, 30, 40):
            scene.publish(record=whole("x" * size))
        assert scene.redis.get(scene.key("log_total")) == b"76"
        scene.unsubscribe(ONE)
        assert scene.deliver() == set()
        assert scene.redis.get(scene.key("log_total")) == b"0"

    def test_an_event_larger_than_the_whole_history_is_trimmed_visibly(
        self, scene_with: SceneWith
    ) -> None:
        scene = scene_with(history_bytes=50)
        scene.subscribe(ONE)
        event_id = scene.publish(record=whole("x" * 100)).event_id
        assert self.events(scene) == 0
        assert EventId.parse(scene.field("trimmed_to")) == event_id == scene.head()
        assert callbacks_of(scene.claim_bucket()) == {ONE}

    def test_goes_in_slices(self, scene_with: SceneWith) -> None:
        """Fine print 11."""
        scene = scene_with(trim_slice=2)
        scene.subscribe(ONE)
        ids = [scene.publish().event_id for _ in range(5)]
        scene.later(8 * DAY_MS)
        scene.publish()
        assert self.events(scene) == 4
        assert EventId.parse(scene.field("trimmed_to")) == ids[1]

    def test_a_cursor_behind_it_is_seen_to_be_behind(self, scene_with: SceneWith) -> None:
        scene = scene_with(history_events=1)
        scene.subscribe(ONE)
        start = scene.progress().cursor
        for _ in range(3):
            scene.publish()
        claim = scene.claim_bucket()
        found = scene.run(scene.workers[0].log.read(ID, after=start, to=claim.head))
        assert found.trimmed_to > start
