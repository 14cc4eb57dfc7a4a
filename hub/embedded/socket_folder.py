"""The short, private folder for the embedded Redis's socket: no other user can reach it."""

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from hub.embedded.faults import SocketFolderUnsafe

# sun_path holds 104 bytes on some systems and 108 on others.
MAX_PATH_BYTES = 100
SOCKET = "redis.sock"


def socket_path(data: Path, roots: Iterable[Path]) -> Path:
    """Returns the socket's path for a data folder, in a folder that is made and checked here.

    Args:
        data: the data folder; the same one always leads to the same socket.
        roots: where the folder may be made, best first.

    Raises:
        SocketFolderUnsafe: no root will do, or the folder is there and is not ours alone.
    """
    digest = hashlib.blake2b(os.fsencode(data.resolve()), digest_size=6).hexdigest()
    for root in roots:
        folder = root / f"websub-hub-{os.getuid()}-{digest}"
        path = folder / SOCKET
        if len(os.fsencode(path)) < MAX_PATH_BYTES and os.access(root, os.W_OK | os.X_OK):
            _make_private(folder)
            return path
    raise SocketFolderUnsafe(
        "There is no folder for the socket of Redis: set TMPDIR to one that can be written to "
        "and has a short path."
    )


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()  # not stat: whoever made a link here could lead us anywhere
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise SocketFolderUnsafe(
                f"{folder} is not a folder of this user: remove it, or set TMPDIR to another place."
            ) from None
        folder.chmod(0o700)
