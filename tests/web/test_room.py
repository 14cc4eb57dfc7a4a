"""Nothing new is taken while the disk has too little room."""

import sys
from pathlib import Path

import pytest

from hub.store.results import NotReady, Ready, StoreFull
from hub.web.room import StoreWithRoom
from tests.web.hub_server import ListStore


async def test_with_room_the_store_is_used(store: ListStore, tmp_path: Path) -> None:
    roomy = StoreWithRoom(store=store, folder=tmp_path, min_free_bytes=0)
    await roomy.ping(["http://a/"])
    assert store.pinged == [("http://a/",)]
    assert await roomy.readiness() == Ready()


async def test_without_room_nothing_reaches_the_store(store: ListStore, tmp_path: Path) -> None:
    full = StoreWithRoom(store=store, folder=tmp_path, min_free_bytes=sys.maxsize)
    with pytest.raises(StoreFull):
        await full.ping(["http://a/"])
    assert store.pinged == []
    assert isinstance(await full.readiness(), NotReady)
