"""Who is alive, whether what is accepted would be worked on, and whose turn it is."""

import pytest

from hub.store.results import NotReady, Ready, StoreFull, StoreUnavailable
from hub.store.status import HubStatus
from tests.store.own_server import OwnServer
from tests.store.scene import Scene


def beat(scene: Scene, worker: str = "w") -> int:
    return scene.run(scene.workers[0].presence.beat(worker))


def readiness(scene: Scene) -> Ready | NotReady:
    return scene.run(scene.workers[0].readiness())


def status(scene: Scene) -> HubStatus:
    return scene.run(scene.workers[0].status.hub())


def test_without_a_worker_the_hub_is_not_ready(scene: Scene) -> None:
    answer = readiness(scene)
    assert isinstance(answer, NotReady)
    assert "worker" in answer.reason


def test_with_a_worker_it_is_until_it_has_been_silent_for_5_s(scene: Scene) -> None:
    beat(scene)
    scene.later(5_000)
    assert readiness(scene) == Ready()
    scene.later(1)
    assert isinstance(readiness(scene), NotReady)


def test_one_of_several_is_enough(scene: Scene) -> None:
    beat(scene, "dead")
    scene.later(10_000)
    beat(scene, "alive")
    assert readiness(scene) == Ready()


def test_a_worker_that_says_goodbye_is_not_counted(scene: Scene) -> None:
    beat(scene)
    scene.run(scene.workers[0].presence.leave("w"))
    assert isinstance(readiness(scene), NotReady)


def test_a_worker_hears_how_many_are_alive(scene: Scene) -> None:
    assert [beat(scene, name) for name in ("one", "two", "one")] == [1, 2, 2]
    scene.later(5_000)
    assert beat(scene, "two") == 2
    scene.later(1)
    assert beat(scene, "two") == 1


def test_a_heartbeat_from_before_the_clock_went_back_is_none(scene: Scene) -> None:
    beat(scene)
    scene.later(-3_600_000)
    assert isinstance(readiness(scene), NotReady)
    assert status(scene).worker_silent_ms is None
    beat(scene, "alive")
    assert readiness(scene) == Ready()
    assert status(scene).worker_silent_ms == 0


def test_workers_long_dead_are_forgotten(scene: Scene) -> None:
    beat(scene, "old")
    scene.later(60_000)
    beat(scene, "new")
    assert scene.redis.zrange(scene.key("workers"), 0, -1) == [b"new"]


def test_a_redis_that_takes_no_writes_is_not_ready(own_scene: Scene) -> None:
    beat(own_scene)
    own_scene.redis.config_set("maxmemory", 1)
    with pytest.raises(StoreFull):
        readiness(own_scene)


def test_a_redis_that_is_away_is_not_ready(own_scene: Scene, own_server: OwnServer) -> None:
    beat(own_scene)
    own_server.kill()
    with pytest.raises(StoreUnavailable):
        readiness(own_scene)
    own_server.start()  # for the world's own cleaning up


def test_a_turn_is_taken_by_one(scene: Scene) -> None:
    taken = [scene.run(worker.turns.take("pass", each_ms=60_000)) for worker in scene.workers]
    assert taken == [True, False]


def test_another_turn_is_another_ones(scene: Scene) -> None:
    turns = scene.workers[0].turns
    assert scene.run(turns.take("pass", each_ms=60_000))
    assert scene.run(turns.take("other", each_ms=60_000))


@pytest.mark.parametrize("each_ms", [1_500])
def test_a_turn_ends_with_its_time(scene: Scene, each_ms: int) -> None:
    scene.run(scene.workers[0].turns.take("pass", each_ms=each_ms))
    left_ms = scene.redis.pttl(scene.key("turn:pass"))
    assert 0 < left_ms <= each_ms
