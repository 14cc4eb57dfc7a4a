"""The record of which cases meet a defect."""

from collections.abc import Mapping
from dataclasses import dataclass

EVERYTHING = "*"
# The hub without a defect.
YARDSTICK = "(none)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """The cases that meet a defect."""

    fails: frozenset[str]
    follows: frozenset[str]
    tells: Mapping[str, str]


def caught(fails: str = "", *, follows: str = "", tells: Mapping[str, str] | None = None) -> Caught:
    """Returns the record of names that are set apart by spaces."""
    return Caught(
        fails=frozenset(fails.split()), follows=frozenset(follows.split()), tells=tells or {}
    )
