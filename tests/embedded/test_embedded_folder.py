"""The data folder and the socket's: held once, marked, private, and refused where not ours."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hub.embedded.faults import FolderInUse, FolderNotOurs, FolderUnusable, SocketFolderUnsafe
from hub.embedded.folder import DataFolder, hold, mark_written_by, running_redis_url, written_by
from hub.embedded.server import Build, Kind
from hub.embedded.socket_folder import MAX_PATH_BYTES, socket_path

BUILD = Build(kind=Kind.REDIS, version=(6, 2, 14))
HOLD = """
import sys, pathlib
from hub.embedded.folder import DataFolder, hold
with hold(DataFolder(path=pathlib.Path(sys.argv[1])), "unix:///run/other"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(path=tmp_path / "data")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_held_folder_is_private(folder: DataFolder) -> None:
    with hold(folder, "unix:///run/x"):
        assert mode(folder.path) == mode(folder.redis) == 0o700


def test_a_second_holder_is_refused_with_the_pid_of_the_first(folder: DataFolder) -> None:
    command = [sys.executable, "-c", HOLD, str(folder.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout
        assert first.stdout.readline() == b"held\n"
        with (
            pytest.raises(FolderInUse, match=f"in use by process {first.pid}:"),
            hold(folder, "unix:///run/x"),
        ):
            pass
        assert running_redis_url(folder.path) == "unix:///run/other"
        first.kill()
        first.wait()
    with hold(folder, "unix:///run/mine"):
        assert running_redis_url(folder.path) == "unix:///run/mine"
    assert running_redis_url(folder.path) is None


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("file", id="a file"),
        pytest.param("file/data", id="a file in the path"),
        pytest.param("file-for-redis", id="a file in the place of Redis's folder"),
        pytest.param("x" * 300, id="a name that is too long"),
        pytest.param("/proc/data", id="where nobody can make a folder"),
    ],
)
def test_a_folder_that_cannot_be_made_is_refused_in_a_sentence(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "file-for-redis").mkdir()
    (tmp_path / "file-for-redis" / "redis").touch()
    with (
        pytest.raises(
            FolderUnusable, match=r"cannot be used \(.+\): .* --data \(WEBSUB_HUB_DATA\)"
        ),
        hold(DataFolder(path=tmp_path / place), "unix:///run/x"),
    ):
        pass


def test_a_mark_that_cannot_be_written_or_read_is_a_fault_of_the_folder(folder: DataFolder) -> None:
    with hold(folder, "unix:///run/x"):
        folder.version.mkdir()
        with pytest.raises(FolderUnusable):
            mark_written_by(folder, BUILD)
        with pytest.raises(FolderUnusable):
            written_by(folder)


def test_a_folder_nobody_ever_held_has_no_redis_url(folder: DataFolder) -> None:
    assert running_redis_url(folder.path) is None


def test_a_mark_is_read_back(folder: DataFolder) -> None:
    with hold(folder, "unix:///run/x"):
        assert written_by(folder) is None
        mark_written_by(folder, BUILD)
        assert written_by(folder) == BUILD


def test_a_database_without_a_mark_is_refused(folder: DataFolder) -> None:
    with hold(folder, "unix:///run/x"):
        (folder.redis / "appendonlydir").mkdir()
        with pytest.raises(FolderNotOurs, match="VERSION is missing"):
            written_by(folder)


@pytest.mark.parametrize(
    ("mark", "sentence"),
    [
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        (json.dumps({"server": "keydb", "version": "6.2.0", "schema": 1}), "cannot be read"),
        (json.dumps({"server": "redis", "version": "6.2", "schema": 1}), "cannot be read"),
        (json.dumps({"server": "redis", "version": "6.2.14", "schema": 2}), "newer websub-hub"),
    ],
)
def test_a_mark_that_is_not_ours_is_refused(folder: DataFolder, mark: str, sentence: str) -> None:
    folder.path.mkdir()
    folder.version.write_text(mark)
    with pytest.raises(FolderNotOurs, match=sentence):
        written_by(folder)


def test_the_sockets_folder_is_private_and_one_for_each_data_folder(
    tmp_path: Path, socket_root: Path
) -> None:
    first, again = (socket_path(tmp_path / "data", [socket_root]) for _ in range(2))
    assert first == again
    assert first != socket_path(tmp_path / "other", [socket_root])
    assert mode(first.parent) == 0o700
    assert len(os.fsencode(first)) < MAX_PATH_BYTES


def test_a_root_with_a_long_path_is_passed_over(tmp_path: Path, socket_root: Path) -> None:
    long = tmp_path / ("x" * MAX_PATH_BYTES)
    long.mkdir()
    assert socket_path(tmp_path / "data", [long, socket_root]).is_relative_to(socket_root)


def test_without_a_root_that_will_do_it_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(SocketFolderUnsafe, match="set TMPDIR"):
        socket_path(tmp_path, [tmp_path / "missing"])


def test_a_link_in_place_of_the_sockets_folder_is_refused(
    tmp_path: Path, socket_root: Path
) -> None:
    socket = socket_path(tmp_path / "data", [socket_root])
    socket.parent.rmdir()
    socket.parent.symlink_to(tmp_path)
    with pytest.raises(SocketFolderUnsafe, match="not a folder of this user"):
        socket_path(tmp_path / "data", [socket_root])


def test_a_sockets_folder_that_others_could_enter_is_closed(
    tmp_path: Path, socket_root: Path
) -> None:
    socket_path(tmp_path / "data", [socket_root]).parent.chmod(0o777)
    assert mode(socket_path(tmp_path / "data", [socket_root]).parent) == 0o700


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_sockets_folder_of_another_user_is_refused(tmp_path: Path, socket_root: Path) -> None:
    os.chown(socket_path(tmp_path / "data", [socket_root]).parent, 65534, -1)
    with pytest.raises(SocketFolderUnsafe, match="not a folder of this user"):
        socket_path(tmp_path / "data", [socket_root])
