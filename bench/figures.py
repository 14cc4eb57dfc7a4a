"""Figures kept beside the printed tables, one JSON object a line, for whoever draws or compares."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

# The file to add to; without it nothing is kept.
VARIABLE = "BENCH_FIGURES"


def keep(table: str, **figures: float) -> None:
    """Adds a line of one table."""
    if path := os.environ.get(VARIABLE):
        with Path(path).open("a") as file:
            file.write(json.dumps({"table": table, **figures}) + "\n")


def kept(path: Path, table: str) -> Iterator[dict[str, float]]:
    """Returns the lines of one table, in the order in which they were added."""
    for line in path.read_text().splitlines():
        figures = json.loads(line)
        if figures.pop("table") == table:
            yield figures
