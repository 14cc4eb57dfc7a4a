"""A worker is stopped at a point beyond its claims, and woken after another one took over.

Nothing that it does then may be heard of: claims that have ended can do nothing (invariant 5).
"""

import asyncio
import re
import signal
from pathlib import Path

from tests.crash.kills import PUBLISH_EACH_S, SLOW_S
from tests.crash.ledger import Row
from tests.crash.points import LIMITS, Moment, Point, Scene
from tests.crash.stage import EVEN_WITHIN_S, Stage, open_stage
from tests.workers.waiting import eventually

# Shorter than users may have it, so that a claim lapses while a test waits.
SHORT = {"request_deadline_s": 1.0, "claim_lease_s": 4.0}
# The claim, and what is skipped as in flight: the deadline and 5 s.
LAPSED_AFTER_S = {False: 4.2, True: 6.3}
# There are many workers at once.
SELDOM = {"look_again": 300}
GO_ON_S = 0.5
NEWCOMERS = 2


async def pause_at(point: Point, url: str, prefix: str, folder: Path) -> Row:
    """Returns the row of a point."""
    async with open_stage(
        url, prefix, folder, {**LIMITS.get(point.scene, {}), **SELDOM}, **SHORT
    ) as stage:
        first = stage.start()
        await stage.subscribe()
        await stage.publish()
        await stage.until_even()
        if point.scene is Scene.SLOW_RECEIVERS:
            for receiver in stage.receivers[:2]:
                receiver.delay_s = SLOW_S * 0.9
        await first.arm(point, 1, signal.SIGSTOP)
        if point.scene is Scene.NEWCOMERS:
            for _ in range(NEWCOMERS):
                await stage.ask(stage.new_receiver())
        # Just one: while another is delivered, the worker may stop at BEGINNING besides.
        await stage.publish()
        await first.until_stopped()
        await stage.note_in_flight()
        await _take_over(stage, point)
        publishing = asyncio.create_task(_publish(stage))
        first.signal(signal.SIGCONT)
        found = await _lapsed(stage, point)
        await asyncio.sleep(GO_ON_S)
        publishing.cancel()
        await stage.until_even()
        missing = len(stage.receivers) - sum(1 for _ in stage.progress())
        lost = [f"{missing} never subscribed"] if missing else []
        return stage.row(runs=1, lost=lost, wrong=found)


async def _publish(stage: Stage) -> None:
    while True:
        await stage.publish()
        await asyncio.sleep(PUBLISH_EACH_S)


async def _take_over(stage: Stage, point: Point) -> None:
    """Another worker does all that the stopped one held."""
    stage.start()
    await asyncio.sleep(LAPSED_AFTER_S[point.scene is Scene.SLOW_RECEIVERS])
    await stage.publish()
    await stage.until_even()


async def _lapsed(stage: Stage, point: Point) -> list[str]:
    """Returns what the first worker's belated call did, where that was not nothing."""
    if point.moment is not Moment.BEFORE or point.lapsed is None:
        return []
    answer = re.compile(rf"^resumed {re.escape(point.call)} (.*)$", re.MULTILINE)
    await eventually(lambda: answer.search(stage.log()) is not None, EVEN_WITHIN_S, stage.log)
    found = answer.findall(stage.log())
    return [] if found == [point.lapsed] else [f"{point.call} after its claim: {found}"]
