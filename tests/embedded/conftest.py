"""A root for sockets that has a short path, which the folder of a test has not."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def socket_root() -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(prefix="hub-", dir="/tmp"))
    yield root
    shutil.rmtree(root)
