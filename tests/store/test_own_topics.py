"""Documents of own topics: judged by what came before, written in one step, kept while wanted."""

from hub.feeds.diff import Seen
from hub.protocol.urls import topic_id
from hub.store.event_id import BEFORE_ALL
from hub.store.log import WholeEvent
from hub.store.own_topics import Before, Content, Overtaken, Publication, Published
from tests.store.conftest import SceneWith
from tests.store.scene import ONE, TOPIC, Scene

DAY_MS = 86_400_000
NOTHING = Before(documents=0, seen={})
ENTRY, RECORD = b"e" * 16, Seen(fingerprint=b"f" * 16, left_at=0)


def publication(body: bytes = b"body", *, is_news: bool = True) -> Publication:
    return Publication(
        facts={"content_type": "text/plain", "outcome": "published here"},
        event=WholeEvent(content_type="text/plain") if is_news else None,
        body=body,
        seen={ENTRY: RECORD},
        evicted=(),
    )


def publish(
    scene: Scene, written: Publication | None = None, *, before: Before = NOTHING, worker: int = 0
) -> Published | Overtaken:
    topics = scene.workers[worker].own_topics
    return scene.run(topics.publish(TOPIC, written or publication(), before=before))


def before(scene: Scene) -> Before:
    return scene.run(scene.workers[0].own_topics.before(TOPIC))


def content(scene: Scene) -> Content | None:
    return scene.run(scene.workers[0].own_topics.content(TOPIC))


class TestADocument:
    def test_is_written_whole(self, scene: Scene) -> None:
        answer = publish(scene)
        assert isinstance(answer, Published)
        assert str(answer.event_id).encode() == scene.field("head")
        assert before(scene) == Before(documents=1, seen={ENTRY: RECORD})
        assert content(scene) == Content(content_type="text/plain", body=b"body")

    def test_without_news_is_the_content_and_no_event(self, scene: Scene) -> None:
        assert publish(scene, publication(is_news=False)) == Published(event_id=None)
        assert content(scene) is not None
        assert scene.field("head") is None

    def test_that_was_overtaken_writes_nothing(self, scene: Scene) -> None:
        judged = before(scene)
        publish(scene, publication(b"first"), before=judged)
        head = scene.field("head")
        answer = publish(scene, publication(b"second"), before=judged, worker=1)
        assert answer == Overtaken()
        assert (before(scene).documents, scene.field("head")) == (1, head)
        assert content(scene) == Content(content_type="text/plain", body=b"first")

    def test_that_was_overtaken_makes_no_topic(self, scene: Scene) -> None:
        assert publish(scene, before=Before(documents=1, seen={})) == Overtaken()
        assert scene.field("url") is None

    def test_makes_its_subscriptions_due(self, scene: Scene) -> None:
        scene.subscribe(ONE)
        publish(scene)
        (claim,) = scene.claim_buckets()
        assert str(claim.head).encode() == scene.field("head")

    def test_ends_the_wait_for_a_baseline(self, scene: Scene) -> None:
        scene.accept(ONE)
        publish(scene)
        scene.later(1_000)
        assert len(scene.claim_requests()) == 1


class TestHowLongItIsKept:
    def test_as_long_as_it_is_published_or_read(self, scene_with: SceneWith) -> None:
        scene = scene_with(interest=10 * DAY_MS)
        publish(scene)
        for _ in range(3):
            scene.later(9 * DAY_MS)
            scene.repair()
            assert content(scene) is not None

    def test_and_no_longer(self, scene_with: SceneWith) -> None:
        scene = scene_with(interest=10 * DAY_MS)
        publish(scene)
        scene.later(11 * DAY_MS)
        scene.repair()
        assert content(scene) is None
        assert scene.field("url") is None

    def test_its_history_is_read_like_any_other(self, scene: Scene) -> None:
        answer = publish(scene)
        history = scene.workers[0].history
        stretch = scene.run(
            history.read(topic_id(TOPIC), after=BEFORE_ALL, to=None, limit=9, bytes_max=10**6)
        )
        assert isinstance(answer, Published)
        assert [event_id for event_id, _ in stretch.events] == [answer.event_id]
