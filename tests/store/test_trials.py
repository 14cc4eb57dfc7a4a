"""Topics that are looked at for a stranger, and kept for nobody."""

from hub.protocol.urls import topic_id
from hub.store.event_id import BEFORE_ALL
from hub.store.history import TRIAL_MS, History
from tests.store.scene import FAILED, NEWS, ONE, TOPIC, Scene

NOTHING_LEFT = {"count", "clock", "log_total"}


def history(scene: Scene) -> History:
    return scene.workers[0].history


def try_out(scene: Scene) -> None:
    scene.run(history(scene).try_out(TOPIC))


def end_trial(scene: Scene) -> bool:
    return scene.run(history(scene).end_trial(TOPIC))


def read(scene: Scene) -> None:
    reading = history(scene).read(
        topic_id(TOPIC), after=BEFORE_ALL, to=None, limit=1, bytes_max=1_000
    )
    scene.run(reading)


class TestATopicOnTrial:
    def test_is_fetched_once(self, scene: Scene) -> None:
        try_out(scene)
        try_out(scene)
        assert len(scene.claim_fetches()) == 1

    def test_is_forgotten_at_its_end(self, scene: Scene) -> None:
        try_out(scene)
        (claim,) = scene.claim_fetches()
        scene.append(claim, NEWS)
        assert end_trial(scene)
        assert scene.key_names() <= NOTHING_LEFT

    def test_is_forgotten_while_it_is_fetched(self, scene: Scene) -> None:
        try_out(scene)
        (claim,) = scene.claim_fetches()
        assert end_trial(scene)
        scene.append(claim, NEWS)
        assert scene.key_names() <= NOTHING_LEFT

    def test_is_forgotten_by_itself_where_nobody_ends_it(self, scene: Scene) -> None:
        try_out(scene)
        (claim,) = scene.claim_fetches()
        scene.append(claim, FAILED)
        scene.later(TRIAL_MS - 1_000)
        scene.repair()
        assert scene.field("url") is not None
        scene.later(2_000)
        scene.repair()
        assert scene.key_names() <= NOTHING_LEFT

    def test_is_kept_where_somebody_has_read_it(self, scene: Scene) -> None:
        try_out(scene)
        read(scene)
        assert not end_trial(scene)
        scene.later(2 * TRIAL_MS)
        scene.repair()
        assert scene.field("url") is not None

    def test_is_kept_where_somebody_follows_it(self, scene: Scene) -> None:
        try_out(scene)
        scene.run(history(scene).follow(TOPIC))
        assert not end_trial(scene)

    def test_is_kept_where_somebody_subscribes(self, scene: Scene) -> None:
        try_out(scene)
        scene.subscribe(ONE)
        assert not end_trial(scene)
        scene.later(2 * TRIAL_MS)
        scene.repair()
        assert scene.field("url") is not None


def test_a_trial_changes_nothing_of_a_topic_that_is_known(scene: Scene) -> None:
    scene.run(history(scene).follow(TOPIC))
    try_out(scene)
    assert not end_trial(scene)
    assert scene.field("url") is not None


def test_the_end_of_a_trial_that_never_was_leaves_no_trace(scene: Scene) -> None:
    assert end_trial(scene)
    assert scene.key_names() == set()
