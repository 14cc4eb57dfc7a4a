"""Whole runs: against the yardstick, and against hubs that do next to nothing."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import aiohttp
import pytest
from aiohttp import web

from conformance.case import Case, Company, Need, Play, all_cases
from conformance.options import Options
from conformance.runner import Run, run_suite
from conformance.stage import Stage
from conformance.verdict import Broken, Failed, Level, Skipped
from tests.conformance.defective_hub import running

ROOT = Path(__file__).parents[2]
QUICK = {"SUB-01", "SUB-07.200", "VER-02", "VER-05.query", "DIS-01", "SIG-02", "SUB-21"}
Handler = Callable[[web.Request], Awaitable[web.Response]]


@contextlib.asynccontextmanager
async def small_hub(handler: Handler) -> AsyncIterator[str]:
    application = web.Application(client_max_size=2**26)
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def run_of(url: str, *cases: Case, timeout_s: float = 5) -> Run:
    options = Options(hub_url=url, timeout_s=timeout_s, grace_s=0.1, settle_s=0.1, jobs=64)
    return await run_suite(options, cases or all_cases(), lambda _: None)


def made_up(play: Play) -> Case:
    return Case(
        id="SUB-01",
        title="Made up",
        level=Level.MUST,
        needs=frozenset(),
        company=Company.CROWD,
        play=play,
    )


async def test_a_conforming_hub_passes() -> None:
    async with running() as url:
        run = await run_of(url, *(case for case in all_cases() if case.id in QUICK))
    assert {
        result.id: (result.word, result.says) for result in run.results if result.has_failed
    } == {}
    assert {result.word for result in run.results} == {"pass"}
    assert run.abilities.ping_form
    assert run.abilities.short_lease


@pytest.mark.slow
async def test_no_case_passes_against_a_hub_that_says_202_and_comes_for_nothing_else() -> None:
    begun: set[asyncio.Task[None]] = set()

    async def accept(request: web.Request) -> web.Response:
        fields = parse_qs(await request.text())
        # The suite is to believe that this hub can reach it.
        if not begun and "hub.callback" in fields:
            begun.add(asyncio.create_task(_verify({k: v[0] for k, v in fields.items()})))
        return web.Response(status=202)

    started = time.monotonic()
    async with small_hub(accept) as url:
        run = await run_of(url, timeout_s=0.3)
    assert {r.id: r.says for r in run.results if r.word == "pass"} == {}
    assert {r.id: r.says for r in run.results if isinstance(r.verdict, Broken)} == {}
    assert run.results[0].has_failed
    assert time.monotonic() - started < 40


@pytest.mark.slow
async def test_nothing_that_waits_for_a_delivery_passes_where_none_comes() -> None:
    followed: set[asyncio.Task[None]] = set()

    async def verify_only(request: web.Request) -> web.Response:
        fields = parse_qs(await request.text())
        if (
            fields.get("hub.mode", [""])[0] in {"subscribe", "unsubscribe"}
            and "hub.topic" in fields
        ):
            followed.add(asyncio.create_task(_verify({k: v[0] for k, v in fields.items()})))
        return web.Response(status=202)

    async with small_hub(verify_only) as url:
        run = await run_of(url, timeout_s=0.5)
    waiting = {case.id for case in all_cases() if Need.PING in case.needs} | {"DIS-01", "PUB-01"}
    by_id = {result.id: result.word for result in run.results}
    assert {case_id for case_id in waiting if by_id[case_id] == "pass"} == set()
    assert by_id["DIS-01"] == "fail"
    assert by_id["SUB-01"] == "pass"


async def _verify(fields: dict[str, str]) -> None:
    query = {"hub.mode": fields["hub.mode"], "hub.topic": fields["hub.topic"]}
    query |= {"hub.challenge": "0123456789abcdefghij", "hub.lease_seconds": "4"}
    callback = fields.get("hub.callback", "")
    async with aiohttp.ClientSession() as http:
        with contextlib.suppress(aiohttp.ClientError, ValueError):
            async with http.get(f"{callback}?{urlencode(query)}"):
                pass


async def test_a_hub_that_refuses_our_addresses_is_skipped_with_the_reason() -> None:
    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=403, text="no private addresses here")

    async with small_hub(refuse) as url:
        run = await run_of(url)
    words = {result.id: result.word for result in run.results}
    assert {case_id for case_id, word in words.items() if word == "pass"} == {
        "SEC-04.literal",
        "SEC-04.written",
        "SEC-04.mapped",
        "SEC-04.name",
    }
    assert set(words.values()) == {"pass", "skipped"}
    assert "no private addresses here" in run.results[0].says


async def test_a_hub_that_never_comes_fails_one_case_and_the_others_say_why() -> None:
    async def accept(_request: web.Request) -> web.Response:
        return web.Response(status=202)

    async with small_hub(accept) as url:
        run = await run_of(url, timeout_s=0.3)
    assert {result.id for result in run.results if result.word != "skipped"} == {"SUB-01"}
    assert run.results[0].has_failed
    assert "nothing of the hub has reached http://127.0.0.1:" in run.results[1].says


async def test_a_fault_of_the_suite_is_told_apart_and_stops_nobody() -> None:
    async def faulty(_stage: Stage) -> None:
        raise KeyError("lost")

    async with running() as url:
        run = await run_of(url, made_up(faulty))
    assert isinstance(run.results[0].verdict, Broken)
    assert "KeyError: 'lost'" in run.results[0].verdict.error


async def test_a_case_that_hangs_is_ended() -> None:
    async def hanging(stage: Stage) -> None:
        await stage.over.wait()

    async with running() as url:
        run = await run_of(url, made_up(hanging), timeout_s=0.5)
    assert isinstance(run.results[0].verdict, Failed)
    assert run.results[0].verdict.came == "no end"


async def test_a_case_cannot_use_what_it_does_not_say_that_it_needs() -> None:
    async def pinging(stage: Stage) -> None:
        await stage.publish(stage.topic())

    async with running() as url:
        run = await run_of(url, made_up(pinging))
    assert isinstance(run.results[0].verdict, Broken)
    assert "needs PING" in run.results[0].verdict.error


async def test_with_a_base_url_a_second_port_is_not_assumed() -> None:
    async def elsewhere(stage: Stage) -> None:
        await stage.other_port()

    options = Options(hub_url="", base_url="http://127.0.0.1:9", timeout_s=0.5)
    async with running() as url:
        case = made_up(elsewhere)
        needing = Case(
            id=case.id,
            title=case.title,
            level=case.level,
            needs=frozenset({Need.PORT}),
            company=case.company,
            play=case.play,
        )
        run = await run_suite(
            Options(hub_url=url, base_url=options.base_url, timeout_s=0.5),
            [needing],
            lambda _: None,
        )
    assert isinstance(run.results[0].verdict, Skipped)


@pytest.mark.slow
async def test_pytest_runs_a_test_for_each_case(tmp_path: Path) -> None:
    async with running(frozenset({"secret-200-accepted", "errors-as-html"})) as url:
        command = [sys.executable, "-m", "pytest", "-p", "conformance.pytest_plugin", "-q"]
        command += ["-p", "no:cacheprovider", "-p", "no:randomly", "-c", os.devnull]
        command += ["--rootdir", str(tmp_path), "--websub-hub", url]
        command += ["-k", "SUB-07 or SUB-09 or SUB-13", str(tmp_path)]
        listed = await asyncio.to_thread(_output, [*command, "--collect-only"])
        told = await asyncio.to_thread(_output, command)
    assert listed.count("SUB-") == 6
    assert "2 failed, 2 passed, 1 skipped" in told
    assert "1 xfailed" in told


def _output(command: list[str]) -> str:
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=50
    )
    return done.stdout + done.stderr
