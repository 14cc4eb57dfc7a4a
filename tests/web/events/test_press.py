"""Frames are made once, and of the body that belongs to the event."""

import asyncio
from dataclasses import dataclass

from hub.store.event_id import BEFORE_ALL, EventId
from hub.store.log import Log, WholeDocument, WholeEvent
from hub.web.events.describer import Describer
from hub.web.events.page import Appended
from hub.web.events.press import Press

URLS = {"t": "http://t.example/"}


@dataclass
class OneDocument(Log):
    """The body of one topic, and how often it was read."""

    document: WholeDocument
    reads: int = 0

    async def read_whole(self, topic_id: str, *, after: EventId = BEFORE_ALL) -> WholeDocument:
        assert (topic_id, after) == ("t", BEFORE_ALL)
        self.reads += 1
        await asyncio.sleep(0)
        return self.document


def document(number: int, body: bytes = b"newest") -> OneDocument:
    head = EventId(number, 0)
    return OneDocument(WholeDocument(first=head, head=head, content_type="text/plain", body=body))


def press_of(log: Log) -> Press:
    return Press(log, Describer(), event_max_bytes=10_000)


def event(number: int, *, is_newest: bool = True) -> Appended:
    return Appended(
        topic_id="t",
        event_id=EventId(number, 0),
        event=WholeEvent(content_type="text/plain"),
        is_newest=is_newest,
    )


async def test_a_body_that_is_newer_than_the_event_is_not_its_own() -> None:
    frame = await press_of(document(8)).prepare(event(7), URLS)
    assert b"newest" not in frame.json


async def test_all_that_ask_at_once_share_one_frame() -> None:
    log = document(7)
    press = press_of(log)
    frames = await asyncio.gather(*(press.prepare(event(7), URLS) for _ in range(50)))
    frames.append(await press.prepare(event(7), URLS))
    assert all(frame is frames[0] for frame in frames)
    assert log.reads == 1


async def test_who_leaves_takes_the_frame_from_nobody() -> None:
    press = press_of(document(7))
    first = asyncio.create_task(press.prepare(event(7), URLS))
    second = asyncio.create_task(press.prepare(event(7), URLS))
    await asyncio.sleep(0)
    first.cancel()
    assert b"newest" in (await second).json


async def test_an_event_that_is_not_the_newest_any_more_has_another_frame() -> None:
    press = press_of(document(7))
    assert b"newest" in (await press.prepare(event(7), URLS)).json
    assert b"newest" not in (await press.prepare(event(7, is_newest=False), URLS)).json


async def test_a_body_that_is_far_too_large_is_not_looked_at() -> None:
    frame = await press_of(document(7, b"x" * 2_000_000)).prepare(event(7), URLS)
    assert b'"truncated":true' in frame.json


async def test_what_is_kept_is_bounded_and_the_oldest_goes_first() -> None:
    press = press_of(document(1_000_000))
    press._kept_max_bytes = 1_000
    for number in range(100):
        await press.prepare(event(number, is_newest=False), URLS)
    assert press._kept_bytes <= 1_000
    assert press._kept_bytes == sum(len(frame.json) for frame in press._kept.values())
    assert (EventId(99, 0), False) in press._kept
