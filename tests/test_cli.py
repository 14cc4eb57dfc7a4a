"""The command line: which words lead where, and what a wrong one gets for an answer."""

import subprocess
import sys
from pathlib import Path

import pytest

import hub
from hub.cli import run
from hub.settings import environment


@pytest.fixture(autouse=True)
def no_redis_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment():
        if name.startswith("WEBSUB_HUB_"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize("command", ["web", "worker"])
def test_a_process_of_its_own_needs_a_redis(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([command]) == 2
    assert capsys.readouterr().err == (
        f"websub-hub: `{command}` needs a Redis: set WEBSUB_HUB_REDIS_URL or --redis-url "
        "(`serve` brings one of its own).\n"
    )


@pytest.mark.parametrize(
    "words",
    [["--show-settings"], ["--show-settings", "serve"], ["serve", "--show-settings"]],
)
def test_settings_are_shown_and_nothing_is_started(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 0
    assert "WEBSUB_HUB_PORT=8080\n" in capsys.readouterr().out


def test_an_option_is_a_setting(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    options = {
        "--host": ("WEBSUB_HUB_HOST", "0.0.0.0"),
        "--port": ("WEBSUB_HUB_PORT", "9000"),
        "--data": ("WEBSUB_HUB_DATA", str(tmp_path)),
        "--redis-url": ("WEBSUB_HUB_REDIS_URL", "redis://host"),
        "--public-url": ("WEBSUB_HUB_PUBLIC_URL", "https://hub.example/"),
        "--log-format": ("WEBSUB_HUB_LOG_FORMAT", "json"),
    }
    words = [word for option, (_, value) in options.items() for word in (option, value)]
    assert run(["web", "--dev", "--show-settings", *words]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert "WEBSUB_HUB_DEV=true" in shown
    assert {f"{name}={value}" for name, value in options.values()} <= set(shown)


def test_each_fault_of_the_settings_is_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBSUB_HUB_PROT", "1")
    assert run(["serve", "--log-format", "xml"]) == 2
    assert capsys.readouterr().err == (
        "websub-hub: WEBSUB_HUB_PROT is no setting; the nearest is WEBSUB_HUB_PORT.\n"
        "websub-hub: WEBSUB_HUB_LOG_FORMAT (--log-format) should be 'text' or 'json', "
        "and is 'xml'.\n"
    )


def test_an_option_is_not_guessed_from_its_beginning(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(["serve", "--por", "9000"])
    assert "unrecognized arguments: --por" in capsys.readouterr().err


def test_without_a_command_it_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    help_text = capsys.readouterr().err
    for command in ("serve", "web", "worker", "status", "repair", "listen", "publish", "doctor"):
        assert f"\n    {command} " in help_text


@pytest.mark.parametrize("module", ["hub", "hub.cli"])
def test_the_version_is_told_before_anything_heavy_is_loaded(module: str) -> None:
    script = f"""
import sys, {module}, hub.cli
try:
    hub.cli.run(["--version"])
finally:
    assert not {{"pydantic", "aiohttp", "redis", "lxml"}} & set(sys.modules)
"""
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert told.stdout == f"websub-hub {hub.__version__}\n"


def test_the_module_is_the_command() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "hub", "--version"], capture_output=True, text=True, check=True
    )
    assert told.stdout == f"websub-hub {hub.__version__}\n"
