"""The command: what it refuses, what it lists, and its exit status."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.case import all_cases
from conformance.cli import fit_for, main


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "HUB_URL is missing"),
        (["hub.example"], "'hub.example' is not"),
        (["ftp://hub.example/"], "must be an http or https URL"),
        (["http://"], "must be an http or https URL"),
        (["http://hub.example/", "--only", "SUB-99"], "no case is called SUB-99; see --list"),
        (["http://hub.example/", "--only", ","], "no case is called"),
        (["http://hub.example/", "--bind", "8000"], "--bind takes HOST:PORT"),
        (["http://hub.example/", "--bind", "::1:99999"], "--bind takes HOST:PORT"),
        (["http://hub.example/", "--base-url", "me.example"], "--base-url must be"),
        (["http://hub.example/", "--protected-url", "hub"], "--protected-url must be"),
        (["http://hub.example/", "--certificate", "/nowhere.pem"], "/nowhere.pem is not"),
    ],
)
def test_what_cannot_be_run_is_refused_with_a_sentence(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("number", ["0", "-1", "inf", "x"])
def test_a_time_that_is_none_is_refused(number: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["http://hub.example/", "--timeout-s", number])
    assert ended.value.code == 2


def test_what_a_terminal_cannot_write_is_escaped() -> None:
    assert fit_for("utf-8", "caf\u00e9 \udcff") == "caf\u00e9 \\udcff"
    assert fit_for("ascii", "caf\u00e9") == "caf\\xe9"


def test_where_no_hub_is_the_command_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        assert main([url]) == 2
    assert f"no answer from {url}" in capsys.readouterr().err


def test_a_server_that_never_answers_ends_the_run_in_time(
    silent_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([f"http://127.0.0.1:{silent_port}/", "--timeout-s", "0.2"]) == 2
    assert "no answer from" in capsys.readouterr().err


def test_list_names_every_case_and_needs_no_hub(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    out = capsys.readouterr().out
    assert all(f"  {case.id} " in out for case in all_cases())


def test_list_and_only_name_the_chosen_rows_and_cases(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--only", "SUB-07,DIS-03.html"]) == 0
    lines = capsys.readouterr().out.splitlines()
    chosen = [line.split()[0] for line in lines if line.startswith("  ")]
    assert chosen == ["SUB-07.199", "SUB-07.200", "SUB-07.201", "SUB-07.utf8", "DIS-03.html"]


def test_a_report_that_cannot_be_written_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async def run() -> int:
        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        words = [
            f"http://127.0.0.1:{port}/",
            "--only",
            "SUB-01",
            "--json",
            str(tmp_path / "a" / "b"),
        ]
        async with server:
            return await asyncio.to_thread(main, words)

    assert asyncio.run(run()) == 2
    assert "No such file or directory" in capsys.readouterr().err
