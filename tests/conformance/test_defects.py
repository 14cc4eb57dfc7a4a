"""The suite can fail: each defect is caught by the right cases, and by no others.

By default each defect is met by the cases that must catch it and by a few of every kind. With
WEBSUB_CONFORMANCE_ALL=1 it is met by all of them, which takes some 20 minutes.
"""

import asyncio
import logging
import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from conformance.case import Case, all_cases
from conformance.options import Options
from conformance.runner import run_suite
from tests.conformance.caught import EVERYTHING, YARDSTICK
from tests.conformance.defective.catalogue import DEFECTS
from tests.conformance.defective.wire import REACHABLE
from tests.conformance.defective_hub import running
from tests.conformance.matrix import CAUGHT, SENTINELS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

TRUSTED = Path(__file__).with_name("trusted.pem")
PROCESSES = 2
PLAYS_ALL = os.environ.get("WEBSUB_CONFORMANCE_ALL") == "1"
# Hubs in one event loop; all cases together keep it busy. At 16 some defects went uncaught.
SIDE_BY_SIDE = 4 if PLAYS_ALL else 10
# What waits the longest begins first, so that nothing is left to wait for alone at the end.
LONGEST = (
    "verification-late",
    YARDSTICK,
    "silent-for-no-hub",
    "silent-for-other-hub",
    "ended-after-retries",
    "denied-in-silence",
    "response-body-awaited",
    "verification-by-post",
)
# What is told of one case: the verdict's word, and what it says.
Told = dict[str, tuple[str, str]]


@pytest.fixture(scope="module")
def told() -> dict[str, Told]:
    """What the suite says of the hub with each defect, and of the one without any."""
    names = [*LONGEST, *(name for name in CAUGHT if name not in LONGEST)]
    shares = [names[start::PROCESSES] for start in range(PROCESSES)]
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=spawning) as pool:
        return {name: said for share in pool.map(_play_share, shares) for name, said in share}


def _play_share(names: Sequence[str]) -> list[tuple[str, Told]]:
    # What the hub trusts; read when it first needs it.
    os.environ["SSL_CERT_FILE"] = str(TRUSTED)
    logging.disable()
    return asyncio.run(_play_side_by_side(names))


async def _play_side_by_side(names: Sequence[str]) -> list[tuple[str, Told]]:
    places = asyncio.Semaphore(SIDE_BY_SIDE)

    async def play(name: str) -> tuple[str, Told]:
        async with places:
            return name, await _play(name)

    return await asyncio.gather(*map(play, names))


async def _play(name: str) -> Told:
    defects = frozenset({name} - {YARDSTICK})
    async with running(defects) as url, running(defects | {"protected"}) as protected_url:
        options = Options(
            hub_url=url,
            protected_url=protected_url,
            protected_reach=REACHABLE,
            certificate=TRUSTED,
            grace_s=0.7,
            retry_wait_s=4,
            denied_topic="http://denied.example/topic",
            moved_url=f"{url}moved",
        )
        run = await run_suite(options, _chosen(name), lambda _: None)
    return {result.id: (result.word, result.says) for result in run.results}


def _chosen(name: str) -> tuple[Case, ...]:
    cases = all_cases()
    if PLAYS_ALL or name == YARDSTICK:
        return cases
    caught = CAUGHT[name]
    wanted = {*caught.fails, *caught.tells, *SENTINELS}
    return tuple(case for case in cases if case.id in wanted)


def test_the_hub_without_a_defect_fails_nothing(told: dict[str, Told]) -> None:
    words = {case_id: word for case_id, (word, _) in told[YARDSTICK].items()}
    assert {case_id for case_id, word in words.items() if word in {"fail", "error"}} == set()
    assert {case_id for case_id, word in words.items() if word == "skipped"} == set()


@pytest.mark.parametrize("name", CAUGHT)
def test_a_defect_is_caught_by_its_cases_and_no_others(name: str, told: dict[str, Told]) -> None:
    caught = CAUGHT[name]
    failed = {case_id for case_id, (word, _) in told[name].items() if word in {"fail", "error"}}
    assert caught.fails <= failed, {case_id: told[name][case_id] for case_id in caught.fails}
    if EVERYTHING not in caught.follows:
        others = failed - caught.fails - caught.follows
        assert others == set(), {case_id: told[name][case_id] for case_id in others}
    for case_id, words in caught.tells.items():
        assert words in " ".join(told[name][case_id])
        assert words not in " ".join(told[YARDSTICK][case_id])


def test_each_defect_is_in_the_matrix() -> None:
    assert CAUGHT.keys() == DEFECTS.keys()
    assert [name for name, caught in CAUGHT.items() if not caught.fails and not caught.tells] == []


def test_each_case_catches_a_defect() -> None:
    catching = {case_id for caught in CAUGHT.values() for case_id in (*caught.fails, *caught.tells)}
    assert {case.id for case in all_cases()} - catching == set()
