"""Live events: in order over all topics, and none lost between history and attaching."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from hub.store.event_id import BEFORE_ALL, EventId
from hub.store.history import History, LookUp, Stretch
from hub.store.log import WholeEvent
from hub.store.news import News
from hub.web.events.newsroom import Newsroom
from hub.web.events.page import Appended
from hub.web.events.prepared import Channel, Prepared
from hub.web.events.reader import StreamReader
from tests.web.events.served import DEADLINE_S
from tests.workers.waiting import eventually

A, B = "topic-a", "topic-b"
URLS = {A: "http://a.example/", B: "http://b.example/"}


def at(number: int) -> EventId:
    return EventId(number, 0)


@dataclass
class WrittenHistory(History):
    """Logs that a test writes; `after_read` is called with the topic once a read is done."""

    logs: dict[str, list[EventId]] = field(default_factory=lambda: {A: [], B: []})
    after_read: Callable[[str], None] = lambda _topic: None

    def newest(self) -> EventId:
        return max([BEFORE_ALL, *self.logs[A], *self.logs[B]])

    async def look_up(self, urls: object) -> LookUp:
        return LookUp(now_ms=0, newest=self.newest(), topics=())

    async def read(
        self, topic_id: str, *, after: EventId, to: EventId | None, limit: int, bytes_max: int
    ) -> Stretch:
        await asyncio.sleep(0)
        end = self.newest() if to is None else to
        found = [one for one in self.logs[topic_id] if after < one <= end]
        taken = found[:limit]
        stretch = Stretch(
            start=BEFORE_ALL,
            head=max([BEFORE_ALL, *self.logs[topic_id]]),
            complete_to=end if taken == found else taken[-1],
            events=tuple((one, WholeEvent(content_type="text/plain")) for one in taken),
        )
        self.after_read(topic_id)
        return stretch


class QuickPress:
    """Makes frames of nothing but ids."""

    async def prepare(self, item: Appended, _urls: object) -> Prepared:
        await asyncio.sleep(0)
        return Prepared(
            topic_id=item.topic_id,
            event_id=item.event_id,
            sse_type="",
            json=b"%d" % item.event_id.ms,
        )


@dataclass(eq=False)
class Listener:
    """A reader that keeps all."""

    offered: list[int] = field(default_factory=list)

    def offer(self, event: Prepared) -> None:
        self.offered.append(event.event_id.ms)

    def end(self) -> None:
        pass


class Wire(asyncio.Transport):
    """What was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: object) -> None:
        assert isinstance(data, bytes)
        self.written.append(data)

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0


@dataclass
class Room:
    history: WrittenHistory
    newsroom: Newsroom
    heard: asyncio.Queue[News | None]

    def append(self, topic: str, number: int) -> None:
        self.history.logs[topic].append(at(number))

    def tell(self, topic: str, number: int) -> None:
        self.heard.put_nowait(News(topic, at(number)))


@asynccontextmanager
async def _room() -> AsyncIterator[Room]:
    history, heard = WrittenHistory(), asyncio.Queue[News | None]()
    newsroom = Newsroom(history, QuickPress())  # type: ignore[arg-type]

    async def news() -> AsyncIterator[News | None]:
        while True:
            yield await heard.get()

    work = asyncio.create_task(newsroom.run(news()))
    yield Room(history, newsroom, heard)
    work.cancel()
    await asyncio.wait([work])


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with _room() as opened:
        yield opened


class TestOrder:
    async def test_what_was_not_heard_of_yet_waits_for_what_is_older(self, room: Room) -> None:
        reader = Listener()
        with room.newsroom.attached(reader, URLS, newest=at(1)):
            # All three are in the logs, and only the first has been heard of.
            room.append(A, 2)
            room.append(B, 3)
            room.append(A, 4)
            room.tell(A, 2)
            await eventually(lambda: reader.offered == [2], DEADLINE_S)
            room.tell(B, 3)
            room.tell(A, 4)
            await eventually(lambda: reader.offered == [2, 3, 4], DEADLINE_S)

    async def test_what_is_heard_of_at_once_comes_in_the_order_of_ids(self, room: Room) -> None:
        reader = Listener()
        with room.newsroom.attached(reader, URLS, newest=at(1)):
            for number in range(2, 300):
                room.append(A if number % 3 else B, number)
            for number in range(2, 300):
                room.tell(A if number % 3 else B, number)
            await eventually(lambda: len(reader.offered) >= 298, DEADLINE_S)
        assert reader.offered == list(range(2, 300))

    async def test_after_a_loss_of_the_connection_all_topics_are_read(self, room: Room) -> None:
        reader = Listener()
        with room.newsroom.attached(reader, URLS, newest=at(1)):
            room.append(B, 2)
            room.append(A, 3)
            room.heard.put_nowait(None)
            await eventually(lambda: reader.offered == [2, 3], DEADLINE_S)

    async def test_a_topic_without_readers_is_not_read(self, room: Room) -> None:
        first, second = Listener(), Listener()
        read: list[str] = []
        room.history.after_read = read.append
        with room.newsroom.attached(first, {A: URLS[A]}, newest=at(1)):
            with room.newsroom.attached(second, {B: URLS[B]}, newest=at(1)):
                pass
            for number, topic in enumerate((B, A), start=2):
                room.append(topic, number)
                room.tell(topic, number)
            await eventually(lambda: first.offered == [3], DEADLINE_S)
        assert (read, second.offered) == ([A], [])


class TestAttaching:
    async def test_what_is_appended_between_history_and_going_live_comes_once(
        self, room: Room
    ) -> None:
        wire = Wire()
        reader = StreamReader(wire, Channel.LINES, buffer_max_bytes=1, heartbeat=b"", heartbeat_s=1)
        sent: list[bytes] = []
        late = iter((10, 11))

        def append_late(_topic: str) -> None:
            if (number := next(late, None)) is not None:
                room.append(A, number)
                room.tell(A, number)

        async def send(event: Prepared) -> None:
            sent.append(event.framed(Channel.LINES))
            # Time for all that was told to be offered.
            for _ in range(50):
                await asyncio.sleep(0)

        room.append(A, 2)
        with room.newsroom.attached(reader, {A: URLS[A]}, newest=at(1)):
            room.history.after_read = append_late
            await reader.catch_up(room.history, QuickPress(), {A: at(1)}, URLS, send)  # type: ignore[arg-type]
            room.append(A, 12)
            room.tell(A, 12)
            await eventually(lambda: b"12\n" in wire.written, DEADLINE_S)
        assert [*sent, *wire.written] == [b"2\n", b"10\n", b"11\n", b"12\n"]

    @pytest.mark.parametrize("pause", range(12))
    async def test_whenever_a_reader_comes_it_gets_each_event_once(
        self, room: Room, pause: int
    ) -> None:
        keeper = Listener()

        async def publish() -> None:
            for number in range(2, 40):
                room.append(A if number % 2 else B, number)
                room.tell(A if number % 2 else B, number)
                await asyncio.sleep(0)

        with room.newsroom.attached(keeper, URLS, newest=at(1)):
            publishing = asyncio.create_task(publish())
            for _ in range(pause * 3):
                await asyncio.sleep(0)
            wire = Wire()
            reader = StreamReader(
                wire, Channel.LINES, buffer_max_bytes=1, heartbeat=b"", heartbeat_s=1
            )

            async def send(event: Prepared) -> None:
                wire.write(event.framed(Channel.LINES))
                await asyncio.sleep(0)

            cursors = {A: at(1), B: at(1)}
            with room.newsroom.attached(reader, URLS, newest=room.history.newest()):
                await reader.catch_up(room.history, QuickPress(), cursors, URLS, send)  # type: ignore[arg-type]
                await publishing
                await eventually(lambda: b"39\n" in wire.written, DEADLINE_S)
        assert wire.written == [b"%d\n" % number for number in range(2, 40)]
