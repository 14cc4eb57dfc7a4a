"""One line an event, in both formats, whoever logs, and whatever it logs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LOGS = """
import logging, sys, warnings
import structlog
from hub import logs
logs.set_up(log_format=sys.argv[1], log_level="info", process="web")
log = structlog.get_logger()
log.info("fetched", topic="http://feed.example/a b", news=3, title="one\\ntwo")
log.debug("hidden")
logging.getLogger("aiohttp.server").error("broken %s", "pipe\\r\\nforged")
logging.getLogger("arq.worker").info("hidden")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed", job="x=y")
"""


def logged(log_format: str) -> list[str]:
    ended = subprocess.run(
        [sys.executable, "-c", LOGS, log_format], capture_output=True, text=True, check=True
    )
    assert not ended.stdout
    return ended.stderr.splitlines()


def test_text_is_a_line_an_event_and_what_comes_from_outside_cannot_forge_one() -> None:
    lines = logged("text")
    without_times = [line.partition(" ")[2] for line in lines[:3]]
    assert without_times == [
        r'info    web fetched topic="http://feed.example/a b" news=3 title="one\ntwo"',
        r'error   web "broken pipe\r\nforged" logger=aiohttp.server',
        r'error   web failed job="x=y"',
    ]
    assert all(line.startswith("  | ") for line in lines[3:])
    assert lines[-1] == "  | ZeroDivisionError: division by zero"


def test_json_is_an_object_an_event() -> None:
    events = [json.loads(line) for line in logged("json")]
    assert [event["event"] for event in events] == ["fetched", "broken pipe\r\nforged", "failed"]
    assert {event["process"] for event in events} == {"web"}
    assert events[0].items() >= {"level": "info", "news": 3, "title": "one\ntwo"}.items()
    assert "ZeroDivisionError" in events[2]["exception"]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_what_is_below_the_level_is_not_logged(log_format: str) -> None:
    assert not [line for line in logged(log_format) if "hidden" in line and "  | " not in line]


def ended_with(stderr: int, *, exit_code: int) -> int:
    """Returns with what code a process ends that logs a lot and then ends with a given one."""
    lots = "\nfor _ in range(1_000): log.info('x' * 100)"
    script = f"{LOGS}{lots}\nprint('worked')\nsys.exit({exit_code})"
    ended = subprocess.run(
        [sys.executable, "-c", script, "text"], stdout=subprocess.PIPE, stderr=stderr, check=False
    )
    assert ended.stdout == b"worked\n"
    return ended.returncode


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is full")
@pytest.mark.parametrize("exit_code", [0, 2])
def test_a_log_on_a_full_disk_changes_nothing_not_even_the_exit_code(exit_code: int) -> None:
    with open("/dev/full", "wb") as full:
        assert ended_with(full.fileno(), exit_code=exit_code) == exit_code


def test_a_log_that_nobody_reads_any_more_changes_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    assert ended_with(writing, exit_code=0) == 0
    os.close(writing)


def test_a_log_that_is_closed_from_the_start_changes_nothing() -> None:
    script = f"{LOGS}\nprint('worked')"
    words = [sys.executable, "-c", script, "text"]
    ended = subprocess.run(["sh", "-c", 'exec "$@" 2>&-', "sh", *words], capture_output=True)
    assert (ended.returncode, ended.stdout) == (0, b"worked\n")
