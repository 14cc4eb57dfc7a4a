"""Runs cases side by side, each on a stage of its own, and gathers the results."""

import asyncio
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime

from conformance.case import Case, Company
from conformance.client import HubClient, session
from conformance.listener import Listener
from conformance.options import Options
from conformance.probes import probe
from conformance.stage import Stage
from conformance.verdict import (
    Broken,
    Failed,
    Mismatch,
    NotApplicable,
    Passed,
    Result,
    Skipped,
    Verdict,
)
from conformance.world import Abilities, World, bind_host

SHOWN_EXCHANGES = 4
# No case is worth more than this many time-outs in a row.
CASE_TIMEOUTS = 5
# The cases that judge whether a hub refuses private addresses run where it does.
OF_REFUSAL = "SEC-04"
# Where nothing comes of a subscription one case says so for all.
OF_SILENCE = "SUB-01"

OnResult = Callable[[Result], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished run."""

    hub_url: str
    started_at: datetime
    seconds: float
    abilities: Abilities
    results: tuple[Result, ...]


async def run_suite(options: Options, cases: Sequence[Case], on_result: OnResult) -> Run:
    """Returns the results in the order of the cases.

    Raises:
        HubUnreachable: nobody answers at the hub's URL.
        OSError: our own server can't listen.
    """
    started_at, started = datetime.now(UTC), time.monotonic()
    listener = Listener(bind_host(options), options.bind_port, options.base_url)
    await listener.start()
    async with aclosing(_Closing(listener)), session() as http:
        client = HubClient(http, options.hub_url, options.timeout_s)
        abilities = await probe(options, client, listener)
        url = options.protected_url
        world = World(
            options=options,
            client=client,
            listener=listener,
            abilities=abilities,
            protected=HubClient(http, url, options.timeout_s) if url else None,
        )
        results = await _run_all(world, cases, on_result)
    return Run(
        hub_url=options.hub_url,
        started_at=started_at,
        seconds=time.monotonic() - started,
        abilities=abilities,
        results=results,
    )


class _Closing:
    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    async def aclose(self) -> None:
        await self._listener.close()


async def _run_all(world: World, cases: Sequence[Case], on_result: OnResult) -> tuple[Result, ...]:
    places = asyncio.Semaphore(world.options.jobs)

    async def run_one(case: Case) -> Result:
        async with places:
            result = await play(world, case)
        on_result(result)
        return result

    in_company = {company: [c for c in cases if c.company is company] for company in Company}
    found = await asyncio.gather(*map(run_one, in_company[Company.CROWD]))
    found += await asyncio.gather(*map(run_one, in_company[Company.QUIET]))
    found += [await run_one(case) for case in in_company[Company.ALONE]]
    by_id = {result.id: result for result in found}
    return tuple(by_id[case.id] for case in cases)


async def play(world: World, case: Case) -> Result:
    """Returns the result of one case; it ends in bounded time whatever the hub does."""
    started = time.monotonic()
    reason = _barred(world.abilities, case)
    verdict = Skipped(reason=reason) if reason else await _judge(world, case)
    return Result(
        id=case.id,
        level=case.level,
        section=case.section,
        title=case.title,
        verdict=verdict,
        seconds=time.monotonic() - started,
    )


def _barred(abilities: Abilities, case: Case) -> str:
    if abilities.keeps_away and case.id != OF_SILENCE:
        return abilities.keeps_away
    return abilities.refuses_us if case.row_id != OF_REFUSAL else ""


async def _judge(world: World, case: Case) -> Verdict:
    limit_s = world.options.timeout_s * CASE_TIMEOUTS
    async with Stage(world, case.needs) as stage:
        try:
            async with asyncio.timeout(limit_s):
                return await case.play(stage) or Passed()
        except Mismatch as error:
            shown = error.shown_by or tuple(stage.exchanges[-SHOWN_EXCHANGES:])
            return Failed(expected=error.expected, came=error.came, exchanges=shown)
        except NotApplicable as error:
            return Skipped(reason=error.reason)
        except TimeoutError:
            shown = tuple(stage.exchanges[-SHOWN_EXCHANGES:])
            return Failed(expected=f"an end within {limit_s:g} s", came="no end", exchanges=shown)
        except Exception:  # noqa: BLE001 - a fault of one case must not end the others
            return Broken(error=traceback.format_exc())
