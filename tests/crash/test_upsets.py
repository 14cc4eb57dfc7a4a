"""Redis killed, away or on another time, and processes told to stop: nothing is lost."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from tests.crash.conftest import ROUNDS
from tests.crash.stage import EVEN_WITHIN_S, open_stage
from tests.crash.upsets import HOUR_S, MOMENT_S, UPSETS, Ground
from tests.store.own_server import OwnServer
from tests.workers.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60 * ROUNDS)]


@pytest.mark.parametrize("name", UPSETS)
async def test_an_upset_loses_nothing_and_repeats_only_what_was_in_flight(
    name: str, own_server: OwnServer, tmp_path: Path
) -> None:
    ground = Ground(
        server=own_server, prefix="own", folder=tmp_path, chance=Random(name), rounds=ROUNDS
    )
    row = await UPSETS[name](ground)
    assert row.faults == []
    assert row.tally.deliveries


async def test_a_clock_that_jumps_an_hour_ahead_and_back_ends_no_lease(
    durable: OwnServer, tmp_path: Path, key_prefix: str
) -> None:
    # As users have it; `dev`, which the stage is in, has none.
    async with open_stage(durable.url, key_prefix, tmp_path, lease_grace_s=HOUR_S) as stage:
        stage.start()
        (receiver,) = await stage.subscribe(1, lease_s=HOUR_S // 2)
        stage.records.move_clock(HOUR_S)
        await stage.publish()
        await asyncio.sleep(MOMENT_S)
        stage.records.move_clock(-HOUR_S)
        await stage.publish()
        await eventually(lambda: receiver.lacks(stage.accepted) == [], EVEN_WITHIN_S // 4)
