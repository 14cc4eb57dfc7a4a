"""Calls share round trips, survive a Redis that goes away, and do not disturb each other."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from hub.store.commit import BATCH_MAX, IDLE_S
from hub.store.results import Accepted, StoreFull, StoreUnavailable
from hub.store.store import Store
from tests.store.middleman import Middleman, redis_that_says
from tests.store.own_server import OwnServer, free_port
from tests.store.scene import ONE, TOPIC, TWO
from tests.store.stores import DEADLINE_S, request, store_at, until_available


class TestSharedRoundTrips:
    @pytest.fixture
    async def middleman(
        self, redis_url: str, key_prefix: str, tmp_path: Path
    ) -> AsyncIterator[tuple[Middleman, Store]]:
        middleman = Middleman(redis_url.removeprefix("unix://"))
        async with (
            middleman.listen(tmp_path / "middle.sock") as url,
            store_at(url, key_prefix) as store,
        ):
            for _ in range(2):  # connects, and Redis gets the script
                await store.presence.beat("warm")
            middleman.round_trips = 0
            yield middleman, store

    async def test_calls_that_come_together_make_one(
        self, middleman: tuple[Middleman, Store]
    ) -> None:
        counted, store = middleman
        await asyncio.gather(*(store.presence.beat(f"{n}") for n in range(50)))
        assert counted.round_trips == 1

    async def test_calls_that_come_during_one_share_the_next(
        self, middleman: tuple[Middleman, Store]
    ) -> None:
        counted, store = middleman
        counted.is_open.clear()
        counted.has_asked.clear()
        first = asyncio.create_task(store.presence.beat("first"))
        await asyncio.wait_for(counted.has_asked.wait(), DEADLINE_S)
        others = [asyncio.create_task(store.presence.beat(f"{n}")) for n in range(50)]
        await asyncio.sleep(0)
        counted.is_open.set()
        await asyncio.gather(first, *others)
        assert counted.round_trips == 2

    async def test_a_call_alone_does_not_wait_for_others(
        self, middleman: tuple[Middleman, Store]
    ) -> None:
        counted, store = middleman
        for _ in range(3):
            await store.presence.beat("alone")
        assert counted.round_trips == 3


async def test_more_calls_than_a_batch_holds_all_get_their_own_answer(
    redis_url: str, key_prefix: str
) -> None:
    async with store_at(redis_url, key_prefix) as store:
        calls = [store.accept(request(f"http://s.example/{n}")) for n in range(3 * BATCH_MAX + 1)]
        answers = await asyncio.gather(*calls)
        assert answers == [Accepted(number=n + 1) for n in range(3 * BATCH_MAX + 1)]


class TestScriptsThatRedisForgot:
    async def test_are_sent_again(self, redis_url: str, key_prefix: str) -> None:
        async with store_at(redis_url, key_prefix) as store:
            assert await store.accept(request(ONE)) == Accepted(number=1)
            with Redis.from_url(redis_url) as redis:
                redis.script_flush()
            assert await store.accept(request(TWO)) == Accepted(number=2)

    async def test_also_when_many_calls_of_several_kinds_come_at_once(
        self, redis_url: str, key_prefix: str
    ) -> None:
        async with store_at(redis_url, key_prefix) as store:
            await store.presence.beat("before")
            with Redis.from_url(redis_url) as redis:
                redis.script_flush()
            answers = await asyncio.gather(
                *(store.accept(request(f"http://s.example/{n}")) for n in range(20)),
                *(store.turns.take(f"{n}", each_ms=60_000) for n in range(20)),
            )
            assert answers == [Accepted(number=n + 1) for n in range(20)] + [True] * 20


class TestRedisGoesAway:
    async def test_the_caller_is_told_and_all_goes_on_when_it_is_back(
        self, own_server: OwnServer
    ) -> None:
        """Invariant 1: what was accepted is there after a kill."""
        async with store_at(own_server.url, "x") as store:
            assert await store.accept(request(ONE)) == Accepted(number=1)
            own_server.kill()
            for _ in range(2):
                with pytest.raises(StoreUnavailable):
                    await store.accept(request(TWO))
            own_server.start()
            await until_available(lambda: store.accept(request(TWO)))
            fetches = await store.topics.claim(limit=10)
            assert [claim.url for claim in fetches.claims] == [TOPIC]
            with own_server.redis() as redis:
                assert redis.zrange("x:1:requests", 0, -1) == [b"1", b"2"]

    async def test_a_restart_while_nobody_asks_fails_no_call(self, own_server: OwnServer) -> None:
        async with store_at(own_server.url, "x") as store:
            assert await store.accept(request(ONE)) == Accepted(number=1)
            own_server.kill()
            own_server.start()
            await asyncio.sleep(2 * IDLE_S)
            assert await store.accept(request(TWO)) == Accepted(number=2)

    async def test_all_that_wait_are_told(self, own_server: OwnServer) -> None:
        async with store_at(own_server.url, "x") as store:
            await store.presence.beat("before")
            own_server.kill()
            answers = await asyncio.gather(
                *(store.presence.beat(f"{n}") for n in range(600)), return_exceptions=True
            )
            assert {type(answer) for answer in answers} == {StoreUnavailable}

    async def test_the_cause_is_kept(self, tmp_path: Path) -> None:
        async with store_at(f"unix://{tmp_path}/nothing.sock", "x") as store:
            with pytest.raises(StoreUnavailable) as raised:
                await store.presence.beat("a")
            assert raised.value.__cause__ is not None

    @pytest.mark.parametrize(
        ("answer", "meaning"),
        [
            (b"-LOADING Redis is loading the dataset in memory", StoreUnavailable),
            (b"-READONLY You can't write against a read only replica.", StoreUnavailable),
            (b"-NOREPLICAS Not enough good replicas to write.", StoreUnavailable),
            (b"-MASTERDOWN Link with MASTER is down", StoreUnavailable),
            (b"-BUSY Redis is busy running a script.", StoreUnavailable),
            (b"-OOM command not allowed when used memory > 'maxmemory'.", StoreFull),
            (b"-MISCONF Errors writing to the AOF file: No space left on device", StoreFull),
            (
                b"-ERR Error running script (call to f_0): @user_script:3: @user_script: 3: "
                b"-MISCONF Errors writing to the AOF file: No space left on device",
                StoreFull,
            ),
            (
                b"-ERR Error running script (call to f_0): @user_script:3: @user_script: 3: "
                b"-READONLY You can't write against a read only replica.",
                StoreUnavailable,
            ),
            (b"-ERR Error compiling script (new function): user_script:1", ResponseError),
        ],
        ids=lambda value: value.decode()[:60] if isinstance(value, bytes) else None,
    )
    async def test_what_redis_says_of_its_troubles_is_understood(
        self, tmp_path: Path, answer: bytes, meaning: type[Exception]
    ) -> None:
        async with (
            redis_that_says(tmp_path / "fake.sock", answer + b"\r\n") as url,
            store_at(url, "x") as store,
        ):
            with pytest.raises(meaning):
                await store.presence.beat("a")


class TestNobodyDisturbsOthers:
    async def test_a_caller_that_gives_up(self, redis_url: str, key_prefix: str) -> None:
        async with store_at(redis_url, key_prefix) as store:
            calls = [
                asyncio.create_task(store.accept(request(f"http://s.example/{n}")))
                for n in range(9)
            ]
            await asyncio.sleep(0)
            calls[0].cancel()
            calls[4].cancel()
            answers = await asyncio.gather(*calls, return_exceptions=True)
            cancelled = [isinstance(answer, asyncio.CancelledError) for answer in answers]
            assert cancelled == [n in {0, 4} for n in range(9)]
            assert all(isinstance(a, Accepted) for n, a in enumerate(answers) if n not in {0, 4})

    async def test_a_script_that_fails(self, redis_url: str, key_prefix: str) -> None:
        async with store_at(redis_url, key_prefix) as store:
            answers = await asyncio.gather(
                store.accept(request(ONE)),
                store._commit.call("expire", "no number"),
                store.accept(request(TWO)),
                return_exceptions=True,
            )
            assert [answers[0], answers[2]] == [Accepted(number=1), Accepted(number=2)]
            assert isinstance(answers[1], ResponseError)

    async def test_a_text_that_cannot_be_encoded(self, redis_url: str, key_prefix: str) -> None:
        async with store_at(redis_url, key_prefix) as store, asyncio.timeout(DEADLINE_S):
            answers = await asyncio.gather(
                store.accept(request(ONE)),
                store.presence.beat("\ud800"),
                store.accept(request(TWO)),
                return_exceptions=True,
            )
            assert [answers[0], answers[2]] == [Accepted(number=1), Accepted(number=2)]
            assert isinstance(answers[1], UnicodeEncodeError)


async def test_closing_finishes_what_was_called(redis_url: str, key_prefix: str) -> None:
    async with store_at(redis_url, key_prefix) as store:
        call = asyncio.create_task(store.accept(request(ONE)))
        await asyncio.sleep(0)
        await store.close()
        assert await asyncio.wait_for(call, DEADLINE_S) == Accepted(number=1)


async def test_a_database_that_does_not_exist_is_told_as_a_redis_that_is_away(
    own_server: OwnServer,
) -> None:
    own_server.kill()
    own_server.start(port=free_port())  # by TCP the answer comes as it is, by a socket as an error
    async with store_at(f"redis://127.0.0.1:{own_server.port}/99", "x") as store:
        with pytest.raises(StoreUnavailable, match="DB index is out of range"):
            await store.presence.beat("a")
