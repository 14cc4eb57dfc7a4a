"""What waits for a round trip that does not come about is told so, and nothing waits for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.store.commit import BATCH_MAX, GroupCommit
from hub.store.limits import Limits
from hub.store.results import StoreUnavailable
from hub.store.scripts import load_scripts
from hub.store.store import Store
from tests.store.middleman import Middleman
from tests.store.stores import DEADLINE_S, store_at, until_available


class TestWhatAFlushLeavesBehind:
    """Nobody waits for ever for a flush that has ended."""

    @pytest.fixture
    def held(self, redis_url: str) -> Middleman:
        """On the way to Redis: nothing comes back until it is opened."""
        return Middleman(redis_url.removeprefix("unix://"))

    @asynccontextmanager
    async def waiting(
        self, held: Middleman, path: Path, prefix: str
    ) -> AsyncIterator[tuple[Store, list[asyncio.Task[int]]]]:
        """A store, one call of it under way, and one that waits for the next round trip."""
        async with held.listen(path) as url, store_at(url, prefix) as store:
            await store.presence.beat("warm")
            held.is_open.clear()
            held.has_asked.clear()
            first = asyncio.create_task(store.presence.beat("first"))
            await asyncio.wait_for(held.has_asked.wait(), DEADLINE_S)
            second = asyncio.create_task(store.presence.beat("second"))
            await asyncio.sleep(0)
            yield store, [first, second]
            held.is_open.set()

    async def test_a_cancelled_one_fails_them_all_and_the_next_call_goes_through(
        self, held: Middleman, tmp_path: Path, key_prefix: str
    ) -> None:
        path = tmp_path / "middle.sock"
        async with self.waiting(held, path, key_prefix) as (store, calls):
            flush().cancel()
            async with asyncio.timeout(DEADLINE_S):
                answers = await asyncio.gather(*calls, return_exceptions=True)
            assert [type(answer) for answer in answers] == [StoreUnavailable] * 2
            held.is_open.set()
            await asyncio.wait_for(store.presence.beat("third"), DEADLINE_S)

    async def test_one_that_is_cancelled_before_its_first_step_fails_them_as_well(
        self, redis_url: str, key_prefix: str
    ) -> None:
        async with store_at(redis_url, key_prefix) as store:
            call = asyncio.create_task(store.presence.beat("first"))
            asyncio.get_running_loop().call_soon(lambda: flush().cancel())
            with pytest.raises(StoreUnavailable):
                await asyncio.wait_for(call, DEADLINE_S)
            await asyncio.wait_for(store.presence.beat("second"), DEADLINE_S)

    async def test_who_gives_up_closing_takes_no_calls_along(
        self, held: Middleman, tmp_path: Path, key_prefix: str
    ) -> None:
        path = tmp_path / "middle.sock"
        async with self.waiting(held, path, key_prefix) as (store, calls):
            closing = asyncio.create_task(store.close())
            await asyncio.sleep(0)
            closing.cancel()
            await asyncio.wait([closing], timeout=DEADLINE_S)
            held.is_open.set()
            await asyncio.wait_for(asyncio.gather(*calls), DEADLINE_S)

    async def test_one_that_redis_does_not_answer_in_time_fails_its_callers_alone(
        self, held: Middleman, tmp_path: Path, key_prefix: str
    ) -> None:
        scripts = load_scripts(key_prefix=key_prefix, limits=Limits())
        async with held.listen(tmp_path / "middle.sock") as url:
            commit = GroupCommit(url, scripts, answer_timeout_s=0.1)
            held.is_open.clear()
            calls = [commit.call("heartbeat", f"{n}") for n in range(3)]
            async with asyncio.timeout(DEADLINE_S):
                answers = await asyncio.gather(*calls, return_exceptions=True)
                assert [type(answer) for answer in answers] == [StoreUnavailable] * 3
                held.is_open.set()
                await until_available(lambda: commit.call("heartbeat", "later"))
                await commit.close()

    async def test_an_error_of_another_kind_is_told_to_every_caller(
        self, redis_url: str, key_prefix: str
    ) -> None:
        async with store_at(f"{redis_url}?no_such_option=1", key_prefix) as store:
            calls = [store.presence.beat(f"{n}") for n in range(BATCH_MAX + 1)]
            async with asyncio.timeout(DEADLINE_S):
                answers = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(answer) for answer in answers} == {TypeError}


def flush() -> asyncio.Task[Any]:
    """The task that sends what was called, as the end of a loop would find and cancel it."""
    (found,) = (task for task in asyncio.all_tasks() if "GroupCommit._flush" in repr(task))
    return found
