"""The process that describes feeds may hang, die or lie: its readers see the sources."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.feeds.document import Feed, read_document
from hub.feeds.fat_ping import cut
from hub.store.log import EntriesEvent
from hub.web.events.describer import Describer, sources_of
from tests.workers.feeds import ATOM, atom

URL = "http://topic.example/feed"
_ANSWER_ONE_JOB = """
import struct, sys
jobs, answers = sys.stdin.buffer, sys.stdout.buffer
def job():
    (length,) = struct.unpack(">I", jobs.read(4))
    return jobs.read(length)
def answer(text):
    answers.write(struct.pack(">I", len(text)) + text)
    answers.flush()
job()
answer(b"null")
job()
"""


def event_of(body: bytes, content_type: str = ATOM) -> EntriesEvent:
    feed = read_document(body, content_type)
    assert isinstance(feed, Feed)
    return EntriesEvent(content_type=content_type, ping=cut(feed, feed.entries))


@asynccontextmanager
async def describing(*command: str, deadline_s: float = 10) -> AsyncIterator[Describer]:
    given = {"command": command} if command else {}
    describer = Describer(deadline_s=deadline_s, **given)
    try:
        yield describer
    finally:
        await describer.close()


async def test_entries_are_described_in_their_order() -> None:
    async with describing() as describer:
        found = await describer.describe(event_of(atom("one", "two=Second")), url=URL)
    assert found is not None
    assert [entry["title"] for entry in found] == ["one", "Second"]


async def test_a_feed_of_another_encoding_is_read_as_the_hub_reads_it() -> None:
    body = atom("one=Grüße").decode().replace('"utf-8"', '"iso-8859-1"').encode("iso-8859-1")
    async with describing() as describer:
        event = event_of(body, "application/atom+xml")
        found = await describer.describe(event, url=URL)
    assert found is not None
    assert found[0]["title"] == "Grüße"
    assert "Grüße" in sources_of(event)[0]


@pytest.mark.parametrize(
    "end",
    ["import time; time.sleep(60)", "sys.exit(1)", "answer(b'nonsense')", "answers.write(b'x'*9)"],
)
async def test_what_a_process_makes_of_it_that_fails_costs_nobody_else(end: str) -> None:
    async with describing(sys.executable, "-c", _ANSWER_ONE_JOB + end, deadline_s=0.5) as describer:
        async with asyncio.timeout(20):
            assert await describer.describe(event_of(atom("one")), url=URL) is None


async def test_a_topic_that_took_too_long_is_left_out_and_others_are_not(tmp_path: Path) -> None:
    # The first process hangs, and each after it does its work.
    hung = tmp_path / "hung"
    script = f"""
import pathlib, runpy
hung = pathlib.Path({str(hung)!r})
if not hung.exists():
    hung.touch()
    exec({_ANSWER_ONE_JOB!r})
    import time; time.sleep(60)
runpy.run_module("hub.web.events.description_process", run_name="__main__")
"""
    async with describing(sys.executable, "-c", script, deadline_s=1.5) as describer:
        event = event_of(atom("one"))
        assert await describer.describe(event, url=URL) is None
        assert await describer.describe(event, url=URL) is None
        assert await describer.describe(event, url="http://other.example/") is not None


async def test_a_program_that_is_not_there_is_no_fault_of_the_reader() -> None:
    async with describing("/nowhere/at/all") as describer:
        assert await describer.describe(event_of(atom("one")), url=URL) is None


async def test_who_gives_up_leaves_no_answer_for_the_next() -> None:
    async with describing() as describer:
        first = asyncio.create_task(describer.describe(event_of(atom("one")), url=URL))
        await asyncio.sleep(0)
        first.cancel()
        found = await describer.describe(event_of(atom("two")), url=URL)
    assert found is not None
    assert [entry["title"] for entry in found] == ["two"]


async def test_the_process_ends_with_its_parent() -> None:
    async with describing() as describer:
        await describer.describe(event_of(atom("one")), url=URL)
        process = describer._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(20):
            assert await process.wait() == 0
