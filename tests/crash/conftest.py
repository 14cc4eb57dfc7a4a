"""A Redis that loses nothing when it is killed, for all rows, and one for a row that kills it."""

import os
from collections.abc import Iterator

import pytest

from tests.store.own_server import OwnServer

ROUNDS = int(os.environ.get("WEBSUB_CRASH_ROUNDS", "2"))


@pytest.fixture(scope="session")
def durable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    server = OwnServer(tmp_path_factory.mktemp("durable"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    server = OwnServer(tmp_path_factory.mktemp("own"))
    server.start()
    yield server
    server.stop()
