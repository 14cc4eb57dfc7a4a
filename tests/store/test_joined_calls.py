"""Neighbours that call one script share a run of it: in order, each with an answer of its own."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from hub.store.commit import JOINED_BYTES, GroupCommit
from hub.store.limits import Limits
from hub.store.results import Accepted, StoreFull
from hub.store.scripts import load_scripts
from hub.store.store import Store
from tests.store.own_server import OwnServer
from tests.store.scene import TOPIC
from tests.store.stores import request, store_at

SCRIPTS = load_scripts(key_prefix="x", limits=Limits())
SHORT, LONG = SCRIPTS["ping"].joined, SCRIPTS["take_turn"].joined


@pytest.fixture
async def store(own_server: OwnServer) -> AsyncIterator[Store]:
    async with store_at(own_server.url, "x") as store:
        yield store


@pytest.fixture
async def commit(own_server: OwnServer) -> AsyncIterator[GroupCommit]:
    commit = GroupCommit(own_server.url, SCRIPTS)
    yield commit
    await commit.close()


async def runs_of(own_server: OwnServer, *calls: Any) -> int:  # noqa: ANN401 - coroutines of any result
    """Makes the calls at once, once Redis knows the scripts; returns how often one was run."""
    with own_server.redis() as redis:
        for script in SCRIPTS.values():
            redis.script_load(script.source)
        redis.config_resetstat()
        await asyncio.gather(*calls)
        stats: Any = redis.info("commandstats")
        return int(stats["cmdstat_evalsha"]["calls"])


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_redis_takes_each_script(redis_url: str, name: str) -> None:
    """The parts count as what the script's own text refers to, which Lua bounds."""
    with Redis.from_url(redis_url) as redis:
        assert redis.script_load(SCRIPTS[name].source) == SCRIPTS[name].sha


class TestHowManyShareARun:
    async def test_short_ones(self, own_server: OwnServer, store: Store) -> None:
        calls = [store.topics.ping(f"{TOPIC}/{n}") for n in range(SHORT)]
        assert await runs_of(own_server, *calls) == 1
        calls = [store.topics.ping(f"{TOPIC}/{n}") for n in range(SHORT + 1)]
        assert await runs_of(own_server, *calls) == 2

    async def test_fewer_of_those_that_may_take_long(
        self, own_server: OwnServer, commit: GroupCommit
    ) -> None:
        calls = [commit.call("take_turn", f"{n}", 60_000) for n in range(LONG + 1)]
        assert await runs_of(own_server, *calls) == 2

    async def test_no_more_than_redis_reads_at_a_time(
        self, own_server: OwnServer, commit: GroupCommit
    ) -> None:
        name = "x" * (JOINED_BYTES // 2)
        calls = [commit.call("take_turn", f"{name}{n}", 60_000) for n in range(3)]
        assert await runs_of(own_server, *calls) == 3

    async def test_neighbours_alone(self, own_server: OwnServer, store: Store) -> None:
        calls = [store.presence.beat("a"), store.presence.leave("a"), store.presence.beat("a")]
        assert await runs_of(own_server, *calls) == 3
        with own_server.redis() as redis:
            assert redis.zrange("x:1:workers", 0, -1) == [b"a"]


class TestEachHasItsOwnAnswer:
    async def test_in_the_order_of_the_calls(self, store: Store) -> None:
        answers = await asyncio.gather(
            *(store.accept(request(f"http://s.example/{n}")) for n in range(SHORT))
        )
        assert answers == [Accepted(number=n + 1) for n in range(SHORT)]

    async def test_whatever_the_number_of_its_arguments(self, commit: GroupCommit) -> None:
        answers = await asyncio.gather(
            *(commit.call("look_up_topics", *(["t"] * count)) for count in (1, 0, 3))
        )
        assert [found for _, _, found in answers] == [[None], [], [None] * 3]

    async def test_at_an_instant_of_its_own(self, own_server: OwnServer) -> None:
        clock = "local function now() return redis.call('INCR', 'ticks') end"
        scripts = load_scripts(key_prefix="x", limits=Limits(), clock=clock)
        commit = GroupCommit(own_server.url, scripts)
        answers = await asyncio.gather(*(commit.call("look_up_topics", "t") for _ in range(3)))
        assert [now for now, _, _ in answers] == [1, 2, 3]
        await commit.close()

    async def test_also_where_it_is_none(self, commit: GroupCommit) -> None:
        answers = await asyncio.gather(*(commit.call("read_content", "t") for _ in range(3)))
        assert answers == [None] * 3

    async def test_an_error_is_its_own_calls_alone(self, commit: GroupCommit) -> None:
        answers: list[Any] = await asyncio.gather(
            *(commit.call("expire", limit) for limit in (10, "no number", 10)),
            return_exceptions=True,
        )
        assert isinstance(answers[1], ResponseError)
        assert [answers[0][1], answers[2][1]] == [[], []]


async def test_where_memory_is_full_all_are_refused_and_nothing_is_written(
    own_server: OwnServer, store: Store
) -> None:
    await store.accept(request())
    with own_server.redis() as redis:
        before = {key: redis.dump(key) for key in redis.keys("*")}
        redis.config_set("maxmemory", 1)
        answers = await asyncio.gather(
            *(store.topics.ping(TOPIC) for _ in range(SHORT)),
            *(store.accept(request(f"http://s.example/{n}")) for n in range(SHORT)),
            return_exceptions=True,
        )
        assert {type(answer) for answer in answers} == {StoreFull}
        redis.config_set("maxmemory", 0)
        assert {key: redis.dump(key) for key in redis.keys("*")} == before
