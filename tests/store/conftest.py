"""Scenes: records under a prefix of their own, with the limits that a test asks for."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.store.limits import Limits
from hub.store.outcomes import Reached
from tests.store.own_server import OwnServer
from tests.store.scene import ONE, THREE, TWO, Scene, missed, pending
from tests.store.world import World

SceneWith = Callable[..., Scene]


@pytest.fixture
def scene_with(redis_url: str, key_prefix: str) -> Iterator[SceneWith]:
    worlds: list[World] = []

    def make(**limits: int) -> Scene:
        worlds.append(World(redis_url, key_prefix, Limits(**limits)))
        return Scene(worlds[-1])

    yield make
    for world in worlds:
        world.close()


@pytest.fixture
def scene(scene_with: SceneWith) -> Scene:
    return scene_with()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[OwnServer]:
    server = OwnServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_scene(own_server: OwnServer) -> Iterator[Scene]:
    """A scene on a Redis of its own, which the test may fill or kill."""
    world = World(own_server.url, "x", Limits())
    yield Scene(world)
    world.redis.config_set("maxmemory", 0)
    world.close()


@pytest.fixture
def followed(scene: Scene) -> Scene:
    scene.subscribe(ONE, TWO)
    return scene


@pytest.fixture
def busy(scene_with: SceneWith) -> Scene:
    """Something in each list: buckets due, failing and in flight, a fetch, a request."""
    scene = scene_with(bucket_size=1, repair_slice=2, new_event_wait=3_600_000)
    scene.subscribe(ONE, TWO, THREE)
    scene.publish()
    first, second, third = scene.claim_buckets()
    scene.settle(first, missed(first, delay_ms=60_000))
    scene.settle(second, pending(second))
    scene.settle(third, Reached(to=third.head))
    scene.publish()
    scene.accept("http://s.example/new")
    scene.later(1_000)
    scene.ping()
    return scene
