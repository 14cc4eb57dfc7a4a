"""`python -m tests.crash.write_page`: plays the matrix many times over, into docs/crash-matrix.md.

WEBSUB_CRASH_ROUNDS says how often each point is played, 20 times unless it says otherwise; the
table of the page is replaced, its other words stay.
"""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from random import Random

from tests.crash.kills import kill_at
from tests.crash.ledger import COLUMNS, Row, total
from tests.crash.pauses import pause_at
from tests.crash.points import PAUSES, POINTS, Point
from tests.crash.upsets import UPSETS, Ground
from tests.store.own_server import OwnServer

PAGE = Path(__file__).parents[2] / "docs" / "crash-matrix.md"
BEGIN, END = "<!-- crash matrix: begin -->", "<!-- crash matrix: end -->"
ROUNDS = 20
SIDE_BY_SIDE = 4
# Rows that mostly wait are played less often.
PAUSES_EACH, LONG_EACH = 5, 10
LONG = {"Redis away for 10 s, then LOADING"}
Rows = dict[str, Row]


@contextlib.asynccontextmanager
async def _server() -> AsyncIterator[tuple[OwnServer, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        server = OwnServer(Path(folder))
        server.start()
        try:
            yield server, Path(folder)
        finally:
            server.stop()


async def _side_by_side(play: Callable[[int, Point], Awaitable[Row]], points: list[Point]) -> Rows:
    turns = asyncio.Semaphore(SIDE_BY_SIDE)

    async def in_turn(number: int, point: Point) -> Row:
        async with turns:
            return await play(number, point)

    rows = await asyncio.gather(*(in_turn(*numbered) for numbered in enumerate(points)))
    return {point.name: row for point, row in zip(points, rows, strict=True)}


async def killed(rounds: int) -> Rows:
    """Returns a row for each point at which a process is killed."""
    async with _server() as (server, folder):

        async def play(number: int, point: Point) -> Row:
            prefix, chance = f"kill{number}", Random(f"{point.name} {rounds}")
            return await kill_at(point, server.url, prefix, folder, rounds=rounds, chance=chance)

        return await _side_by_side(play, list(POINTS))


async def paused(rounds: int) -> Rows:
    """Returns a row for each point at which a worker is paused."""
    times = max(1, rounds // PAUSES_EACH)
    async with _server() as (server, folder):

        async def play(number: int, point: Point) -> Row:
            prefixes = [f"pause{number}.{time}" for time in range(times)]
            return total([await pause_at(point, server.url, name, folder) for name in prefixes])

        return await _side_by_side(play, list(PAUSES))


async def upset(rounds: int) -> Rows:
    """Returns a row for each of the other upsets."""
    rows = {}
    for name, play in UPSETS.items():
        times = max(1, rounds // LONG_EACH) if name in LONG else 1
        played = []
        for time in range(times):
            async with _server() as (server, folder):
                ground = Ground(
                    server=server,
                    prefix="upset",
                    folder=folder,
                    chance=Random(f"{name} {time}"),
                    rounds=rounds,
                )
                played.append(await play(ground))
        rows[name] = total(played)
    return rows


def table(heading: str, rows: Rows) -> list[str]:
    """Returns rows as Markdown."""
    names = [heading, *(name.replace("_", " ") for name in COLUMNS)]
    lines = [f"| {' | '.join(names)} |", "|---|" + "---:|" * len(COLUMNS)]
    for name, row in rows.items():
        numbers = [str(getattr(row.tally, column)) for column in COLUMNS]
        lines.append(f"| {' | '.join([name, *numbers])} |")
    return [*lines, ""]


async def write(rounds: int) -> int:
    """Returns the exit status: 1 where a promise was broken, and then the page stays as it was."""
    kills, pauses, upsets = await killed(rounds), await paused(rounds), await upset(rounds)
    everything = total([*kills.values(), *pauses.values(), *upsets.values()])
    for fault in everything.faults:
        sys.stderr.write(f"{fault}\n")
    lines = [
        BEGIN,
        *table("killed at", kills),
        *table("paused at", pauses),
        *table("upset", upsets),
        *table("**all**", {"": everything}),
    ]
    if everything.faults:
        sys.stderr.write("\n".join(lines))
        return 1
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text("\n".join([before + lines[0], "", *lines[1:]]) + END + rest.partition(END)[2])
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(write(int(os.environ.get("WEBSUB_CRASH_ROUNDS", ROUNDS)))))
