"""The data folder: held by one `serve` at a time, and marked with what wrote it."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from hub.embedded.faults import FolderInUse, FolderNotOurs, FolderUnusable
from hub.embedded.server import Build, Kind

SCHEMA = 1
PRIVATE = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFolder:
    """Where things lie in a data folder."""

    path: Path

    @property
    def redis(self) -> Path:
        """Returns the folder that is Redis's own."""
        return self.path / "redis"

    @property
    def lock(self) -> Path:
        """Returns the file that a running `serve` holds, with its pid and Redis URL in it."""
        return self.path / "lock"

    @property
    def version(self) -> Path:
        """Returns the file that says which server wrote the folder."""
        return self.path / "VERSION"

    @property
    def pid_file(self) -> Path:
        """Returns the file in which Redis leaves its process id."""
        return self.redis / "redis.pid"

    @property
    def log(self) -> Path:
        """Returns the file that Redis logs to."""
        return self.redis / "redis.log"


@contextmanager
def hold(folder: DataFolder, redis_url: str) -> Iterator[None]:
    """Makes the folder where it is missing and holds it until the end, or the process's death.

    Raises:
        FolderInUse: another process holds it.
        FolderUnusable: it cannot be made or written.
    """
    with _usable(folder):
        lock = _opened_lock(folder)
    with lock:
        with _usable(folder):
            _take(lock, folder, redis_url)
        try:
            yield
        finally:
            lock.truncate(0)


def running_redis_url(data: Path) -> str | None:
    """Returns the URL of the embedded Redis of the `serve` that holds a folder; None without.

    A killed `serve` leaves its URL behind, so that nothing may answer there.
    """
    return _holder(DataFolder(path=data)).get("redis_url")


def written_by(folder: DataFolder) -> Build | None:
    """Returns what wrote the folder last; None for a new one.

    Raises:
        FolderNotOurs: it holds a database without a mark, or one of a newer hub.
        FolderUnusable: it cannot be read.
    """
    if not folder.version.exists():
        _refuse_a_database_without_mark(folder)
        return None
    try:
        with _usable(folder):
            mark = json.loads(folder.version.read_text(encoding="utf-8"))
        build = Build(kind=Kind(mark["server"]), version=_version(mark["version"]))
        schema = int(mark["schema"])
    except (ValueError, KeyError, TypeError) as error:
        raise FolderNotOurs(
            f"{folder.version} cannot be read: restore it, or choose another folder with --data."
        ) from error
    if schema > SCHEMA:
        raise FolderNotOurs(f"{folder.path} was written by a newer websub-hub: install that one.")
    return build


def mark_written_by(folder: DataFolder, build: Build) -> None:
    """Writes down which server is about to write the folder; all of it is on disk afterwards.

    Raises:
        FolderUnusable: it cannot be written.
    """
    text = json.dumps(
        {"server": build.kind, "version": ".".join(map(str, build.version)), "schema": SCHEMA}
    )
    draft = folder.version.with_suffix(".new")
    with _usable(folder):
        with draft.open("w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder.version)
        _sync_directory(folder.path)


@contextmanager
def _usable(folder: DataFolder) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FolderUnusable(
            f"The data folder {folder.path} cannot be used ({error.strerror}): give this user a "
            "folder to write in, or choose another with --data (WEBSUB_HUB_DATA)."
        ) from error


def _opened_lock(folder: DataFolder) -> TextIO:
    folder.path.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    folder.redis.mkdir(mode=PRIVATE, exist_ok=True)
    folder.redis.chmod(PRIVATE)
    return folder.lock.open("a+", encoding="utf-8")


def _take(lock: TextIO, folder: DataFolder, redis_url: str) -> None:
    try:
        fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise FolderInUse(
            f"The data folder {folder.path} is in use by process {_holder(folder).get('pid')}: "
            "end that one, or choose another with --data."
        ) from error
    lock.truncate(0)
    lock.write(json.dumps({"pid": str(os.getpid()), "redis_url": redis_url}))
    lock.flush()


def _refuse_a_database_without_mark(folder: DataFolder) -> None:
    if any(folder.redis.glob("append*")) or any(folder.redis.glob("*.rdb")):
        raise FolderNotOurs(
            f"{folder.redis} holds a database, but {folder.version} is missing: "
            "restore it, or choose another folder with --data."
        )


def _version(text: str) -> tuple[int, int, int]:
    major, minor, patch = (int(part) for part in text.split("."))
    return major, minor, patch


def _holder(folder: DataFolder) -> dict[str, str]:
    try:
        return dict(json.loads(folder.lock.read_text(encoding="utf-8")))
    except (OSError, ValueError):  # it is being written just now
        return {}


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
