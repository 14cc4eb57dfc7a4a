"""A Redis without room, or without replicas, takes nothing and keeps what it has (invariant 1)."""

from pathlib import Path

import pytest

from hub.store.limits import Limits
from hub.store.outcomes import Reached
from hub.store.results import Accepted, StoreFull, StoreUnavailable
from tests.store.own_server import OwnServer, free_port
from tests.store.scene import ONE, TOPIC, TWO, Scene, pending
from tests.store.stores import request, store_at, until_available
from tests.store.world import World


class TestMemoryIsFull:
    def test_a_request_and_a_ping_are_refused_and_nothing_is_half_written(
        self, own_scene: Scene
    ) -> None:
        own_scene.subscribe(ONE)
        before = {key: own_scene.redis.dump(key) for key in own_scene.redis.keys("*")}
        own_scene.redis.config_set("maxmemory", 1)
        with pytest.raises(StoreFull):
            own_scene.accept(TWO, topic=f"{TOPIC}/other")
        with pytest.raises(StoreFull):
            own_scene.accept(TWO)
        with pytest.raises(StoreFull):
            own_scene.ping()
        assert {key: own_scene.redis.dump(key) for key in own_scene.redis.keys("*")} == before

    def test_a_fetch_is_refused_whole_and_settled_when_there_is_room(
        self, own_scene: Scene
    ) -> None:
        own_scene.subscribe(ONE)
        own_scene.later(1_000)
        own_scene.ping()
        (claim,) = own_scene.claim_fetches()
        before = {key: own_scene.redis.dump(key) for key in own_scene.redis.keys("*")}
        own_scene.redis.config_set("maxmemory", 1)
        with pytest.raises(StoreFull):
            own_scene.append(claim)
        assert {key: own_scene.redis.dump(key) for key in own_scene.redis.keys("*")} == before
        own_scene.redis.config_set("maxmemory", 0)
        own_scene.append(claim)
        assert own_scene.deliver() == {ONE}

    def test_what_was_delivered_can_be_written_down(self, own_scene: Scene) -> None:
        own_scene.subscribe(ONE)
        own_scene.publish()
        claim = own_scene.claim_bucket()
        own_scene.redis.config_set("maxmemory", 1)
        assert own_scene.settle(claim, Reached(to=claim.head))
        assert own_scene.progress().cursor == claim.head

    def test_what_was_accepted_is_worked_off(self, own_scene: Scene) -> None:
        own_scene.subscribe(ONE)
        own_scene.publish()
        own_scene.accept(TWO)
        own_scene.later(1_000)
        own_scene.redis.config_set("maxmemory", 1)
        claim = own_scene.claim_bucket()
        assert own_scene.settle(claim, pending(claim))
        assert own_scene.settle_late(claim, Reached(to=claim.head)) == 1
        assert own_scene.progress().cursor == claim.head
        (request,) = own_scene.claim_requests()
        assert own_scene.settle_request(request).value == "applied"

    def test_a_lease_ends(self, own_scene: Scene) -> None:
        own_scene.subscribe(ONE, lease_s=60)
        own_scene.later(60_000)
        own_scene.redis.config_set("maxmemory", 1)
        assert own_scene.expire() == [(TOPIC, ONE)]

    def test_a_lease_that_was_renewed_is_no_obstacle_to_those_that_end(
        self, own_scene: Scene
    ) -> None:
        own_scene.subscribe(ONE, lease_s=60)
        own_scene.subscribe(ONE, lease_s=600)
        own_scene.later(60_000)
        own_scene.redis.config_set("maxmemory", 1)
        assert own_scene.expire() == []

    def test_a_sweep_goes_on(self, own_server: OwnServer) -> None:
        callbacks = [f"{ONE}{number}" for number in range(4)]
        world = World(own_server.url, "x", Limits(bucket_size=1, sweep_slice=1))
        scene = Scene(world)
        scene.subscribe(*callbacks)
        scene.publish()
        scene.redis.config_set("maxmemory", 1)
        assert scene.deliver() == set(callbacks)
        scene.redis.config_set("maxmemory", 0)
        world.close()

    def test_what_was_confirmed_can_be_written_down(self, own_scene: Scene) -> None:
        own_scene.subscribe(ONE)
        own_scene.accept(TWO)
        own_scene.later(1_000)
        (claim,) = own_scene.claim_requests()
        own_scene.redis.config_set("maxmemory", 1)
        assert own_scene.settle_request(claim).value == "applied"
        assert own_scene.place(TWO) is not None


class TestReplicas:
    async def test_a_write_that_none_has_does_not_count(
        self, redis_url: str, key_prefix: str
    ) -> None:
        async with store_at(redis_url, key_prefix, replicas=1) as store:
            with pytest.raises(StoreUnavailable, match="replicas"):
                await store.presence.beat("a")

    @pytest.mark.slow
    async def test_a_write_that_one_has_counts(self, tmp_path: Path) -> None:
        first, second = OwnServer(tmp_path / "1"), OwnServer(tmp_path / "2")
        (tmp_path / "1").mkdir()
        (tmp_path / "2").mkdir()
        try:
            first.start(
                "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0", port=free_port()
            )
            second.start("--replicaof", "127.0.0.1", str(first.port))
            async with store_at(first.url, "x", replicas=1) as store:
                await until_available(lambda: store.accept(request(ONE)))
                assert isinstance(await store.accept(request(TWO)), Accepted)
            with second.redis() as replica:
                assert replica.zcard("x:1:requests") >= 2
        finally:
            second.stop()
            first.stop()
