"""The doorbell rings for work in an idle list, and is heard again after Redis was away."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from hub.store.bell import NEWER_EVENT, rings
from hub.store.outcomes import Reached
from tests.store.own_server import OwnServer
from tests.store.scene import ONE, RELEASED, TWO, Scene, missed

DEADLINE_S = 15


class Ear:
    """Hears what rang until now: all that comes before a mark of its own."""

    MARK = b"until now"

    def __init__(self, redis: Any, channel: str) -> None:  # noqa: ANN401 - untyped pubsub
        self._redis, self._channel = redis, channel
        self._bell = redis.pubsub()
        self._bell.subscribe(channel)
        assert self._bell.get_message(timeout=DEADLINE_S) is not None

    def heard(self) -> list[str]:
        self._redis.publish(self._channel, self.MARK)
        deadline_at_s, found = monotonic() + DEADLINE_S, list[str]()
        while monotonic() < deadline_at_s:
            message = self._bell.get_message(timeout=DEADLINE_S)
            if message is not None and message["data"] == self.MARK:
                return found
            if message is not None:
                found.append(message["data"].decode())
        raise AssertionError("the mark was not heard")

    def close(self) -> None:
        self._bell.close()


@pytest.fixture
def ear(scene: Scene) -> Iterator[Ear]:
    ear = Ear(scene.redis, scene.key("bell"))
    yield ear
    ear.close()


@pytest.fixture
def followed(scene: Scene, ear: Ear) -> Scene:
    scene.subscribe(ONE, TWO)
    scene.later(1_000)
    ear.heard()
    return scene


def test_a_request_rings_for_itself_and_for_the_baseline(scene: Scene, ear: Ear) -> None:
    scene.accept(ONE)
    assert sorted(ear.heard()) == ["pinged", "unverified"]


def test_an_event_for_a_bucket_that_is_worked_on_rings_with_its_topic(
    followed: Scene, ear: Ear
) -> None:
    followed.publish()
    claim = followed.claim_bucket()
    ear.heard()
    followed.publish()
    newer = f"{NEWER_EVENT}{claim.topic_id}"
    assert ear.heard().count(newer) == 1
    followed.settle(claim, Reached(to=claim.head))
    followed.publish()
    assert newer not in ear.heard()


def test_a_ping_rings_once_until_somebody_comes(followed: Scene, ear: Ear) -> None:
    for _ in range(5):
        followed.ping()
    assert ear.heard() == ["pinged"]


def test_what_falls_due_behind_something_that_waits_does_not_ring(
    followed: Scene, ear: Ear
) -> None:
    followed.subscribe(ONE, topic="http://t.example/other")
    ear.heard()
    followed.ping()
    followed.ping("http://t.example/other")
    assert ear.heard() == ["pinged"]


def test_an_event_rings_for_the_deliverers(followed: Scene, ear: Ear) -> None:
    followed.publish()
    assert ear.heard() == ["pinged", "ready"]


def test_what_the_appending_worker_takes_itself_rings_for_nobody(followed: Scene, ear: Ear) -> None:
    followed.publish(is_bucket_wanted=True)
    assert ear.heard() == ["pinged"]


def test_what_is_not_due_within_a_second_does_not_ring(followed: Scene, ear: Ear) -> None:
    followed.publish()
    claim = followed.claim_bucket()
    ear.heard()
    followed.settle(claim, missed(claim))
    assert ear.heard() == []


def test_what_was_added_during_a_claim_rings_when_it_is_settled(followed: Scene, ear: Ear) -> None:
    followed.publish()
    claim = followed.claim_bucket()
    followed.publish()
    ear.heard()
    followed.settle(claim, Reached(to=claim.head))
    assert ear.heard() == ["ready"]


def test_what_is_given_back_rings(followed: Scene, ear: Ear) -> None:
    followed.ping()
    (claim,) = followed.claim_fetches()
    ear.heard()
    followed.append(claim, RELEASED)
    assert ear.heard() == ["pinged"]


def test_who_leaves_work_behind_rings_for_another(followed: Scene, ear: Ear) -> None:
    for topic in ("http://t.example/1", "http://t.example/2"):
        followed.accept(ONE, topic=topic)
    ear.heard()
    assert len(followed.run(followed.workers[0].topics.claim(limit=1)).claims) == 1
    assert ear.heard() == ["pinged"]
    assert len(followed.run(followed.workers[1].topics.claim(limit=1)).claims) == 1
    assert ear.heard() == []


def test_repair_rings_for_what_it_puts_back(followed: Scene, ear: Ear) -> None:
    followed.publish()
    followed.redis.delete(followed.key("wl:ready"))
    ear.heard()
    followed.repair()
    assert ear.heard() == ["ready"]


class TestTheListener:
    @pytest.fixture
    async def server(self, tmp_path: Path) -> AsyncIterator[OwnServer]:
        server = OwnServer(tmp_path)
        server.start()
        yield server
        server.stop()

    async def ring_until_heard(
        self, server: OwnServer, heard: "asyncio.Future[str]", name: str
    ) -> str:
        """A ring may be lost while nobody listens, so it is repeated."""
        async with asyncio.timeout(DEADLINE_S):
            with server.redis() as redis:
                while not heard.done():
                    redis.publish("x:1:bell", name)
                    await asyncio.wait([heard], timeout=0.02)
                return heard.result()

    async def test_hears_each_ring_and_again_after_redis_was_killed(
        self, server: OwnServer
    ) -> None:
        bell = rings(server.url, "x")
        heard = asyncio.ensure_future(anext(bell))
        assert await self.ring_until_heard(server, heard, "pinged") == "pinged"
        after = asyncio.ensure_future(self.next_but(bell, "pinged"))
        server.kill()
        server.start()
        assert await self.ring_until_heard(server, after, "ready") == "ready"
        await bell.aclose()  # type: ignore[attr-defined]

    async def test_waits_for_a_redis_that_is_not_there_yet(self, tmp_path: Path) -> None:
        server = OwnServer(tmp_path)
        bell = rings(server.url, "x")
        heard = asyncio.ensure_future(anext(bell))
        await asyncio.sleep(0)
        server.start()
        try:
            assert await self.ring_until_heard(server, heard, "ending") == "ending"
            await bell.aclose()  # type: ignore[attr-defined]
        finally:
            server.stop()

    @staticmethod
    async def next_but(bell: AsyncIterator[str], name: str) -> str:
        """The rings of before the kill may still be on their way."""
        async for found in bell:
            if found != name:
                return found
        raise AssertionError("the bell fell silent")
