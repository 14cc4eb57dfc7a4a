"""A worker that was stopped beyond its claims, and woken after another took over, does no harm."""

import asyncio
from pathlib import Path

import pytest

from tests.crash.pauses import pause_at
from tests.crash.points import BEGINNING, PAUSES
from tests.store.own_server import OwnServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]


async def test_a_worker_that_wakes_after_its_claims_does_nothing_twice(
    durable: OwnServer, tmp_path: Path, key_prefix: str
) -> None:
    # Side by side, since they do little but wait.
    rows = await asyncio.gather(
        *(
            pause_at(point, durable.url, f"{key_prefix}.{number}", tmp_path)
            for number, point in enumerate(PAUSES)
        )
    )
    wrong = {point.name: row.faults for point, row in zip(PAUSES, rows, strict=True) if row.faults}
    assert wrong == {}


async def test_a_request_that_was_about_to_begin_is_not_sent_once_its_time_is_over(
    durable: OwnServer, tmp_path: Path, key_prefix: str
) -> None:
    row = await pause_at(BEGINNING, durable.url, key_prefix, tmp_path)
    assert row.faults == []
