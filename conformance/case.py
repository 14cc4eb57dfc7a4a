"""A case: what it judges, what it needs of the hub, and the coroutine that plays it."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from conformance.requirements import row
from conformance.verdict import Level, Passed, Reported

if TYPE_CHECKING:
    from conformance.stage import Stage

Outcome = Passed | Reported | None
Play = Callable[["Stage"], Awaitable[Outcome]]

# In the order of the table of requirements.
MODULES = (
    "requests",
    "errors",
    "answers",
    "renewals",
    "validation",
    "verification",
    "confirmation",
    "leases",
    "unsubscribing",
    "publishing",
    "fetching",
    "distribution",
    "content",
    "links",
    "failures",
    "retries",
    "signatures",
    "security",
    "private",
    "bounds",
    "beyond",
    "order",
)


class Need(StrEnum):
    """What a hub has to be able to do so that a case can judge it."""

    PING = "a form of publish ping that it acts on"
    SHORT_LEASE = "leases of a few seconds"
    RETRY = "a first retry within the time waited for one"
    PORT = "reaching a second port of this machine"


class Company(StrEnum):
    """Which cases may run at the same time; the groups follow one another in this order."""

    CROWD = "any that does not measure time"
    QUIET = "the few that measure time"
    ALONE = "none, since it loads the hub"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One judgement on a hub; the id is the requirement's, with a suffix where it has several."""

    id: str
    title: str
    level: Level
    needs: frozenset[Need]
    company: Company
    play: Play

    @property
    def row_id(self) -> str:
        """The id of the requirement."""
        return self.id.partition(".")[0]

    @property
    def section(self) -> str:
        """The sections of the specification that the requirement stands in."""
        return row(self.row_id).section


_CASES: dict[str, Case] = {}


def case(
    case_id: str,
    title: str,
    *needs: Need,
    level: Level | None = None,
    company: Company = Company.CROWD,
) -> Callable[[Play], Play]:
    """Returns a decorator that makes a coroutine a case; its level is that of the requirement."""

    def register(play: Play) -> Play:
        if case_id in _CASES:
            raise ValueError(f"two cases are called {case_id}")
        _CASES[case_id] = Case(
            id=case_id,
            title=title,
            level=level or row(case_id.partition(".")[0]).weight,
            needs=frozenset(needs),
            company=company,
            play=play,
        )
        return play

    return register


def all_cases() -> tuple[Case, ...]:
    """Returns every case, in the order of the table of requirements."""
    for module in MODULES:
        importlib.import_module(f"conformance.cases.{module}")
    return tuple(_CASES.values())
