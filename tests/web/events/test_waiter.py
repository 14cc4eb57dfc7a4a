"""A long poll that was attached before it read the history."""

import asyncio

from hub.store.event_id import EventId
from hub.web.events.prepared import Prepared
from hub.web.events.waiter import Waiter


def event(number: int) -> Prepared:
    return Prepared(topic_id="t", event_id=EventId(number, 0), sse_type="", json=b"{}")


async def test_what_the_reader_has_already_does_not_wake_it() -> None:
    waiter = Waiter()
    waiter.offer(event(5))
    waiting = asyncio.create_task(waiter.wait(after=EventId(5, 0), within_s=30))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    waiter.offer(event(6))
    assert await waiting == [event(6)]


async def test_what_came_while_it_read_is_there_at_once() -> None:
    waiter = Waiter()
    waiter.offer(event(6))
    assert await waiter.wait(after=EventId(5, 0), within_s=30) == [event(6)]


async def test_who_is_told_to_end_waits_no_longer() -> None:
    waiter = Waiter()
    waiting = asyncio.create_task(waiter.wait(after=EventId(5, 0), within_s=30))
    await asyncio.sleep(0)
    waiter.end()
    assert await waiting == []
