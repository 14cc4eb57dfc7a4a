"""Text streams that lose what cannot be written: no log and no progress may break the work.

A disk is full, or who read a pipe has gone. Nothing is kept for later either: Python would try
again at its end, and end with an exit code of its own for what it could not write.
"""

import io
import os
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _LossyFile(io.FileIO):
    """Takes all that is written, whatever becomes of it."""

    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            written = super().write(data)
        except (OSError, ValueError):
            return memoryview(data).nbytes
        # None: it would block.
        return memoryview(data).nbytes if written is None else written


def lossy(stream: TextIO | None) -> TextIO:
    """Returns a stream to the same file that never fails; the given one where there is no file.

    Args:
        stream: None where the process was started with it closed.
    """
    try:
        descriptor = -1 if stream is None else stream.fileno()
    except (OSError, ValueError):
        assert stream is not None
        return stream
    try:
        file = _LossyFile(descriptor, "wb", closefd=False)
    except (OSError, ValueError):
        file = _LossyFile(os.devnull, "wb")
    buffer = io.BufferedWriter(file)
    return io.TextIOWrapper(buffer, "utf-8", errors="backslashreplace", line_buffering=True)
