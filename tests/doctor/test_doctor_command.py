"""`websub-hub doctor` as it is called: its output and its exit status."""

import asyncio
import json
import socket
import sys

import pytest

from hub.cli import run
from hub.doctor.finding import Verdict, advice, fault, ok, skipped
from hub.doctor.report import as_json, as_text
from tests.commands.small_hub import small_hub
from tests.doctor.publisher import LINKS, Publisher, published, rss

FINDINGS = (
    ok("answer", "Fine."),
    advice("hub link", "So so.", mend="Do this.", why="For that."),
    fault("self\x1b[2J link", "Bad \x1b[2J.", mend="Mend it.", why="Or else."),
    skipped("ping", "Not tried.", mend="Try."),
)


@pytest.fixture(autouse=True)
def no_hub_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEBSUB_HUB_PUBLIC_URL", raising=False)


async def called(publisher: Publisher, *options: str) -> int:
    """Runs it in a process of its own, as it sets up logs for all of it, and shows what it said."""
    async with published(publisher):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hub", "doctor", f"{publisher.base}/feed", *options),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
    sys.stdout.write(out.decode())
    sys.stderr.write(err.decode())
    assert process.returncode is not None
    return process.returncode


@pytest.mark.slow
async def test_a_good_publisher_ends_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert await called(Publisher()) == 0
    out = capsys.readouterr().out
    assert out.endswith("\n0 faults, 0 pieces of advice, 17 ok\n")
    assert "\x1b" not in out


@pytest.mark.slow
async def test_a_fault_ends_with_1_and_programs_get_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert await called(Publisher(body=rss(links=LINKS.replace("hub", "x"))), "--json") == 1
    record = json.loads(capsys.readouterr().out)
    (found,) = [one for one in record["findings"] if one["verdict"] == "fault"]
    assert (record["faults"], found["check"]) == (1, "hub link")
    assert '<atom:link rel="hub"' in found["mend"]


@pytest.mark.slow
async def test_advice_alone_ends_with_0() -> None:
    assert await called(Publisher(has_etag=False)) == 0


def test_a_server_that_is_not_there_is_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        assert run(["doctor", f"http://127.0.0.1:{port}/"]) == 1
    assert f"nothing listens on 127.0.0.1 port {port}" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["feed.xml"], "must be an absolute http or https URL"),
        (["http://127.0.0.1:1/", "--hub", "hub"], "hub must be an absolute http or https URL"),
        (["http://127.0.0.1:1/", "--wait-s", "9"], "--wait-s needs --hub"),
    ],
)
def test_what_cannot_be_run_ends_with_2(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["doctor", *words]) == 2
    assert told in capsys.readouterr().err


def test_a_setting_that_is_wrong_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WEBSUB_HUB_TOPIC_MAX_BYTES", "many")
    assert run(["doctor", "http://127.0.0.1:1/"]) == 2
    assert "WEBSUB_HUB_TOPIC_MAX_BYTES" in capsys.readouterr().err


@pytest.mark.slow
async def test_the_hub_of_the_settings_should_be_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WEBSUB_HUB_PUBLIC_URL", "https://hub.example/")
    assert await called(Publisher(), "--json") == 0
    (found,) = [
        one for one in json.loads(capsys.readouterr().out)["findings"] if one["check"] == "your hub"
    ]
    assert found["verdict"] == "advice"


@pytest.mark.slow
async def test_a_subscription_is_tried_where_that_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with small_hub() as hub:
        publisher = Publisher(body=rss(links=LINKS.replace("BASE/hub", hub.url)))
        assert await called(publisher, "--hub", hub.url, "--wait-s", "0.5") == 0
    out, err = capsys.readouterr()
    assert "Nothing was published within 0.5 s." in out
    assert "waiting up to 0.5 s for you to publish" in err


def test_findings_stand_in_columns_and_cannot_steer_the_terminal() -> None:
    assert as_text("http://t/", FINDINGS, width=70, is_coloured=False) == (
        "http://t/\n\n"
        "ok       answer         Fine.\n"
        "advice   hub link       So so.\n"
        "                        Mend: Do this.\n"
        "                        Why: For that.\n"
        "fault    self [2J link  Bad  [2J.\n"
        "                        Mend: Mend it.\n"
        "                        Why: Or else.\n"
        "skipped  ping           Not tried.\n"
        "                        Mend: Try.\n\n"
        "1 fault, 1 piece of advice, 1 ok\n"
    )


def test_colours_mark_the_verdicts_on_a_terminal() -> None:
    text = as_text("http://t/", FINDINGS, width=70, is_coloured=True)
    assert "\x1b[1;31mfault  \x1b[0m" in text


def test_programs_get_every_finding() -> None:
    record = json.loads(as_json("http://t/", FINDINGS))
    assert (record["url"], record["faults"], record["advice"]) == ("http://t/", 1, 1)
    assert [one["verdict"] for one in record["findings"]] == [
        verdict.value for verdict in (Verdict.OK, Verdict.ADVICE, Verdict.FAULT, Verdict.SKIPPED)
    ]
