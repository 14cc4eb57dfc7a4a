"""Whoever is killed at whatever point: each event at least once, in order, no needless repeat."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from tests.crash.conftest import ROUNDS
from tests.crash.kills import kill_at
from tests.crash.points import POINTS, Scene
from tests.store.own_server import OwnServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60 * ROUNDS)]


@pytest.mark.parametrize("scene", Scene, ids=lambda scene: scene.name)
async def test_a_kill_at_any_point_loses_nothing_and_repeats_only_what_was_in_flight(
    scene: Scene, durable: OwnServer, tmp_path: Path, key_prefix: str
) -> None:
    points = [point for point in POINTS if point.scene is scene]
    # Side by side: each has processes, sites and records of its own.
    rows = await asyncio.gather(
        *(
            kill_at(
                point,
                durable.url,
                f"{key_prefix}.{number}",
                tmp_path,
                rounds=ROUNDS,
                chance=Random(point.name),
            )
            for number, point in enumerate(points)
        )
    )
    wrong = {point.name: row.faults for point, row in zip(points, rows, strict=True) if row.faults}
    assert wrong == {}
    assert all(row.tally.runs >= ROUNDS for row in rows)
