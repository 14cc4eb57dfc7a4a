"""Nothing new is taken while there is too little room on disk or in memory."""

import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.protocol.requests import Mode, SubscriptionRequest, parse_request
from hub.store.memory import Memory
from hub.store.results import Ready, StoreFull
from hub.web.room import Disk, StoreWithRoom
from tests.protocol.policy import POLICY
from tests.store.own_server import OwnServer
from tests.web.hub_server import ListStore
from tests.workers.waiting import eventually


@pytest.fixture
def server(tmp_path: Path) -> Iterator[OwnServer]:
    server = OwnServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def roomy(server: OwnServer, store: ListStore) -> AsyncIterator[StoreWithRoom]:
    memory = Memory(server.url)
    yield StoreWithRoom(store=store, memory=memory, disk=None)
    await memory.close()


def fill(server: OwnServer, share: float) -> int:
    """Gives the server so little memory that it uses this share of it; returns how much."""
    with server.redis() as redis:
        info: Any = redis.info("memory")
        max_bytes = int(info["used_memory"] / share)
        redis.config_set("maxmemory", max_bytes)
        return max_bytes


def asked(mode: Mode) -> SubscriptionRequest:
    fields = {"mode": mode.value, "topic": "http://t.example/", "callback": "http://s.example/"}
    request = parse_request([(f"hub.{name}", value) for name, value in fields.items()], POLICY)
    assert isinstance(request, SubscriptionRequest)
    return request


async def test_with_room_the_store_is_used(
    roomy: StoreWithRoom, store: ListStore, tmp_path: Path
) -> None:
    roomy = replace(roomy, disk=Disk(folder=tmp_path, min_free_bytes=0))
    await roomy.ping(["http://a/"])
    await roomy.accept(asked(Mode.SUBSCRIBE))
    assert store.pinged == [("http://a/",)]
    assert len(store.accepted) == 1
    assert await roomy.readiness() == Ready()


async def test_without_room_on_disk_nothing_reaches_the_store(
    roomy: StoreWithRoom, store: ListStore, tmp_path: Path
) -> None:
    full = replace(roomy, disk=Disk(folder=tmp_path, min_free_bytes=sys.maxsize))
    for mode in Mode:
        with pytest.raises(StoreFull):
            await full.accept(asked(mode))
    with pytest.raises(StoreFull):
        await full.ping(["http://a/"])
    assert (store.accepted, store.pinged) == ([], [])
    with pytest.raises(StoreFull):
        await full.readiness()


@pytest.mark.slow
async def test_without_room_in_memory_nothing_new_reaches_the_store(
    roomy: StoreWithRoom, store: ListStore, server: OwnServer
) -> None:
    max_bytes = fill(server, 0.9)
    with pytest.raises(StoreFull):
        await roomy.accept(asked(Mode.SUBSCRIBE))
    with pytest.raises(StoreFull):
        await roomy.ping(["http://a/"])
    assert (store.accepted, store.pinged) == ([], [])
    with pytest.raises(StoreFull, match=f"of the {max_bytes} bytes of memory"):
        await roomy.readiness()
    # It is what makes room.
    await roomy.accept(asked(Mode.UNSUBSCRIBE))
    assert len(store.accepted) == 1


async def test_a_full_disk_is_looked_at_again(tmp_path: Path) -> None:
    disk = Disk(folder=tmp_path, min_free_bytes=sys.maxsize)
    assert disk.shortage() is not None
    assert disk.shortage() is not None
    disk.min_free_bytes = 0
    await eventually(lambda: disk.shortage() is None, 5)
