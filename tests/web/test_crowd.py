"""More connections than the hub has room for: those that wait make room for those that come."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from hub.web.app import create_app
from hub.web.connection import listening
from hub.web.crowd import Crowd, connections_max
from tests.protocol.policy import POLICY
from tests.web.hub_server import FACE, ListStore

MOST = 3
LIVEZ = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
HALF_A_BODY = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 36\r\n\r\nhub.mode=publish"
DEADLINE_S = 5


@dataclass(slots=True, eq=False)
class OneOfThem:
    is_waiting: bool = True
    is_closed: bool = field(default=False, init=False)

    def force_close(self) -> None:
        self.is_closed = True


@pytest.fixture
async def small_port() -> AsyncIterator[int]:
    """The port of a hub that has room for three connections."""
    app = create_app(ListStore(), POLICY, FACE)
    async with listening(app, host="127.0.0.1", port=0, connections_max=MOST) as port:
        yield port


async def answered(port: int) -> None:
    async with asyncio.timeout(DEADLINE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(LIVEZ)
        assert await reader.readuntil(b"alive\n")
        writer.close()


def test_who_waits_the_longest_goes_first() -> None:
    crowd = Crowd(2)
    busy, first, second, third = OneOfThem(is_waiting=False), OneOfThem(), OneOfThem(), OneOfThem()
    for one in (busy, first, second, third):
        crowd.enter(one)
    assert [one.is_closed for one in (busy, first, second, third)] == [False, True, True, False]


def test_where_all_are_busy_the_newcomer_goes() -> None:
    crowd = Crowd(1)
    busy, newcomer = OneOfThem(is_waiting=False), OneOfThem(is_waiting=False)
    crowd.enter(busy)
    crowd.enter(newcomer)
    assert (busy.is_closed, newcomer.is_closed) == (False, True)


def test_who_has_left_makes_room() -> None:
    crowd = Crowd(1)
    first, second = OneOfThem(), OneOfThem()
    crowd.enter(first)
    crowd.leave(first)
    crowd.enter(second)
    assert not first.is_closed


def test_a_crowd_is_said_once() -> None:
    crowd = Crowd(1)
    with capture_logs() as logs:
        for _ in range(100):
            crowd.enter(OneOfThem())
    assert [log["most"] for log in logs] == [1]


@pytest.mark.parametrize(("files", "most"), [(256, 128), (100, 50), (65_536, 65_408)])
def test_some_descriptors_are_left_for_others(files: int, most: int) -> None:
    assert connections_max(files) == most


async def test_idle_connections_keep_nobody_out_and_a_request_under_way_is_finished(
    small_port: int,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", small_port)
    writer.write(HALF_A_BODY)
    idle = [await asyncio.open_connection("127.0.0.1", small_port) for _ in range(4 * MOST)]
    await answered(small_port)
    writer.write(b"&hub.url=http://a.ex")
    async with asyncio.timeout(DEADLINE_S):
        assert (await reader.readline()).startswith(b"HTTP/1.1 204 ")
        for early, _ in idle[:MOST]:
            assert await early.read() == b""
    for _, one in (*idle, (reader, writer)):
        one.close()
