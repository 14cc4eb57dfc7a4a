"""A line on the terminal that says how far a run has come."""

import sys
from typing import TextIO

from conformance.verdict import Result

WIDTH = 78


class Progress:
    """Takes each result; shows one line that changes, or with `verbose` a line for each case."""

    def __init__(self, total: int, *, verbose: bool, stream: TextIO | None = None) -> None:
        self._total = total
        self._verbose = verbose
        self._stream = stream or sys.stderr
        self._done = 0
        self._failed = 0

    def begin(self, hub_url: str) -> None:
        """Says that the probes run."""
        if self._is_live:
            self._show(f"probing {hub_url}")

    def take(self, result: Result) -> None:
        """Counts a result."""
        self._done += 1
        self._failed += result.has_failed
        line = f"[{self._done}/{self._total}] {result.id} {result.word} {result.seconds:.1f} s"
        if self._verbose:
            self._stream.write(f"{line} {result.says}".rstrip() + "\n")
        elif self._is_live:
            self._show(f"{line}, {self._failed} failed" if self._failed else line)

    def end(self) -> None:
        """Takes the line away."""
        if self._is_live and not self._verbose:
            self._show("")

    @property
    def _is_live(self) -> bool:
        return self._stream.isatty()

    def _show(self, text: str) -> None:
        self._stream.write(f"\r{text[:WIDTH]:<{WIDTH}}" if text else f"\r{' ' * WIDTH}\r")
        self._stream.flush()
