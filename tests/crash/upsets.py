"""What else upsets a hub: Redis killed, away or on another time, processes told to stop."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from redis.exceptions import BusyLoadingError, RedisError

from tests.crash.child import Child
from tests.crash.kills import PROMPT_S, PUBLISH_EACH_S, SLOW_S
from tests.crash.ledger import Receiver, Row
from tests.crash.pauses import SHORT
from tests.crash.points import POINTS
from tests.crash.stage import EVEN_WITHIN_S, LAPSE_S, READ_S, Stage, open_stage
from tests.store.own_server import OwnServer
from tests.workers.hub_in_process import LEASE_S
from tests.workers.waiting import eventually

HOUR_S = 3600
AWAY_S = 10.0
# Enough commands, and each slow enough, that Redis answers LOADING for a while.
LOADED_KEYS, LOAD_DELAY_US = 4000, 150
STOP_WITHIN_S = 1.5
MOMENT_S = 0.3
# What lies further ahead than it can is brought forward by the slow pass.
REPAIRED = {"repair_interval_s": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where a row is played: a Redis of its own, a folder for logs, chance and how many rounds."""

    server: OwnServer
    prefix: str
    folder: Path
    chance: Random
    rounds: int


@contextlib.asynccontextmanager
async def _publishing(stage: Stage, *, through_web: bool = False) -> AsyncIterator[None]:
    """Publishes within the block, again and again; at its end once more, until it is accepted."""

    async def publish() -> None:
        while True:
            await stage.publish(through_web=through_web)
            await asyncio.sleep(PUBLISH_EACH_S)

    task = asyncio.create_task(publish())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@contextlib.asynccontextmanager
async def _at_work(
    ground: Ground,
    *,
    workers: int = 1,
    web: bool = False,
    settings: Mapping[str, float] | None = None,
) -> AsyncIterator[Stage]:
    """Yields a stage whose processes run, everybody subscribed and up to date."""
    given: dict[str, Any] = {**REPAIRED, **(settings or {})}
    async with open_stage(ground.server.url, ground.prefix, ground.folder, **given) as stage:
        for _ in range(workers):
            stage.start()
        if web:
            stage.start("web")
            await stage.until_web_answers()
        await stage.subscribe()
        await stage.publish()
        await stage.until_even()
        yield stage


async def redis_killed(ground: Ground) -> Row:
    """Redis gets SIGKILL while a worker and a publisher go on, and starts again on its folder."""
    async with _at_work(ground, settings=SHORT) as stage:
        for number in range(ground.rounds):
            async with _publishing(stage):
                await asyncio.sleep(ground.chance.random() * MOMENT_S)
                await asyncio.to_thread(ground.server.kill)
                await asyncio.sleep(ground.chance.random() * MOMENT_S)
                await asyncio.to_thread(ground.server.start)
                if number % 2:
                    await asyncio.sleep(MOMENT_S)
            # A claim whose answer was lost with the connection is held by nobody, until it lapses.
            await stage.until_even()
        return stage.row(runs=ground.rounds, live_upsets=ground.rounds)


async def redis_away(ground: Ground) -> Row:
    """Redis is gone for 10 s, and then loads for a while; it has forgotten all scripts."""
    async with _at_work(ground) as stage:
        for number in range(LOADED_KEYS):
            stage.redis.set(f"load:{number}", number)
        loads = 0
        async with _publishing(stage):
            await asyncio.sleep(MOMENT_S)
            await asyncio.to_thread(ground.server.kill)
            await asyncio.sleep(AWAY_S)
            delay = ("--key-load-delay", str(LOAD_DELAY_US))
            starting = asyncio.create_task(asyncio.to_thread(ground.server.start, *delay))
            while not starting.done():
                loads += _is_loading(ground.server)
                await asyncio.sleep(0.01)
            await starting
        await stage.until_even()
        wrong = [] if loads else ["Redis never answered LOADING"]
        return stage.row(runs=1, live_upsets=1, wrong=wrong)


def _is_loading(server: OwnServer) -> bool:
    try:
        with server.redis() as redis:
            redis.get("any")
    except BusyLoadingError:
        return True
    except (RedisError, OSError):
        return False
    return False


async def _clock_jumps(ground: Ground, by_s: Sequence[int]) -> Row:
    """In each second round the worker dies before, with a claim or a flight on record."""
    live = 0
    async with _at_work(ground) as stage:
        for number in range(ground.rounds):
            async with _publishing(stage):
                if number % 2 == 0:
                    is_flight = ground.chance.choice((False, number > 0))
                    await _die_holding(stage, is_flight=is_flight)
                else:
                    await asyncio.sleep(ground.chance.random() * MOMENT_S)
                    live += 1
                stage.move_clock(by_s[number // 2 % 2])
                if number % 2 == 0:
                    stage.start()
                await asyncio.sleep(MOMENT_S)
            await stage.until_even()
        return stage.row(runs=ground.rounds, live_upsets=live)


async def _die_holding(stage: Stage, *, is_flight: bool) -> None:
    """Kills the worker where it has a bucket claimed, or has left receivers in flight."""
    name = "slow ones left in flight" if is_flight else "cursors to be moved"
    (point,) = (p for p in POINTS if p.name.startswith("bucket") and p.name.endswith(name))
    for receiver in stage.receivers[:2] if is_flight else []:
        receiver.delay_s = SLOW_S
    worker = stage.children[-1]
    await worker.arm(point, 1, signal.SIGKILL)
    await worker.until_ended()
    for receiver in stage.receivers:
        receiver.delay_s = PROMPT_S
    await stage.note_in_flight()


async def clock_forward(ground: Ground) -> Row:
    """Redis's clock jumps an hour ahead twice, then back twice, and so on."""
    return await _clock_jumps(ground, (HOUR_S, -HOUR_S))


async def clock_back(ground: Ground) -> Row:
    """Redis's clock goes back an hour twice, then ahead twice, and so on."""
    return await _clock_jumps(ground, (-HOUR_S, HOUR_S))


async def _stopped(child: Child) -> list[str]:
    """Returns what was wrong with how a process stopped."""
    began_s = asyncio.get_running_loop().time()
    child.signal(signal.SIGTERM)
    code = await child.until_ended()
    took_s = asyncio.get_running_loop().time() - began_s
    wrong = [] if code == 0 else [f"exit code {code}"]
    return wrong if took_s < STOP_WITHIN_S else [*wrong, f"stopped after {took_s:.1f} s"]


async def stopped(ground: Ground) -> Row:
    """A worker gets SIGTERM in the middle: it ends in time, holds nothing, repeats nothing."""
    wrong: list[str] = []
    async with _at_work(ground) as stage:
        for _ in range(ground.rounds):
            async with _publishing(stage):
                await asyncio.sleep(ground.chance.random() * MOMENT_S)
                wrong += await _stopped(stage.children[-1])
                held = stage.records.held()
            wrong += [f"still held: {held}"] if held else []
            await stage.note_in_flight()
            stage.start()
            await stage.until_even()
        return stage.row(runs=ground.rounds, wrong=wrong)


async def stopped_with_slow_ones(ground: Ground) -> Row:
    """The same while some receivers owe an answer: what they were sent is given back."""
    wrong: list[str] = []
    async with _at_work(ground) as stage:
        for _ in range(ground.rounds):
            for receiver in stage.receivers[:2]:
                receiver.delay_s = 1.5
            count = len(stage.receivers[0].taken)
            async with _publishing(stage):
                await _until_taken(stage.receivers[0], count + 1)
                wrong += await _stopped(stage.children[-1])
            await stage.note_in_flight()
            for receiver in stage.receivers[:2]:
                receiver.delay_s = PROMPT_S
            # What was left in flight is skipped until its time is over.
            stage.move_clock(LAPSE_S)
            stage.start()
            await stage.until_even()
        return stage.row(runs=ground.rounds, wrong=wrong)


async def _until_taken(receiver: Receiver, count: int) -> None:
    await eventually(lambda: len(receiver.taken) >= count, EVEN_WITHIN_S)


async def rolling_restart(ground: Ground) -> Row:
    """Two workers and web are restarted one after the other, under pings and new subscribers."""
    wrong: list[str] = []
    async with _at_work(ground, workers=2, web=True) as stage:
        asked: list[Receiver] = []
        for _ in range(ground.rounds):
            async with _publishing(stage, through_web=True), _asking(stage, asked):
                for kind, old in (("worker", 0), ("web", 2), ("worker", 1)):
                    await asyncio.sleep(MOMENT_S)
                    wrong += await _stopped(stage.children[old])
                    new = stage.start(kind)
                    stage.children.remove(new)
                    stage.children[old] = new
            await stage.until_web_answers()
            await stage.until_even()
        active = {receiver.path for receiver, _ in stage.progress()}
        lost = [f"{r.path}: accepted, and never subscribed" for r in asked if r.path not in active]
        workers_stopped = 2 * ground.rounds
        row = stage.row(runs=3 * ground.rounds, live_upsets=workers_stopped, lost=lost, wrong=wrong)
        return _bounded(row, workers_stopped * stage.settings.requests_at_once_per_host)


def _bounded(row: Row, repeats_max: int) -> Row:
    """Returns a row in which no more is repeated in all than stopped workers can have had open.

    Whoever takes over what one gives back does so before it can be looked at.
    """
    too_many = [f"{row.tally.repeats} repeats"] if row.tally.repeats > repeats_max else []
    tally = replace(row.tally, repeats_max=repeats_max)
    return Row(tally=tally, faults=[*row.faults, *too_many])


@contextlib.asynccontextmanager
async def _asking(stage: Stage, accepted: list[Receiver]) -> AsyncIterator[None]:
    """New subscribers ask within the block; whose request was accepted is noted."""

    async def ask() -> None:
        while True:
            receiver = stage.new_receiver()
            form = {"topic": stage.topic.url, "callback": receiver.url}
            lease = {"lease_seconds": str(LEASE_S)}
            if await stage.status_of("post", mode="subscribe", **form, **lease) == 202:
                accepted.append(receiver)
            await asyncio.sleep(READ_S)

    task = asyncio.create_task(ask())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


UPSETS: dict[str, Callable[[Ground], Awaitable[Row]]] = {
    "Redis killed at any moment": redis_killed,
    "Redis away for 10 s, then LOADING": redis_away,
    "Redis's clock an hour ahead": clock_forward,
    "Redis's clock an hour back": clock_back,
    "worker told to stop": stopped,
    "worker told to stop, requests unanswered": stopped_with_slow_ones,
    "two workers and web restarted in turn": rolling_restart,
}
