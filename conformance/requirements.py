"""The table of requirements that the cases judge, as records."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from conformance.verdict import Level

# What the rows of the table are grouped by, with the section of the Recommendation.
GROUPS = {
    "SUB": "5.1 Subscription request",
    "VAL": "5.2 Validation",
    "VER": "5.3 Verification of intent",
    "UNS": "5.1 Unsubscribe",
    "PUB": "6 Publish ping and fetch",
    "DIS": "7 Content distribution",
    "SIG": "7.1 Authenticated distribution",
    "SEC": "8 Security",
    "EXT": "Beyond the text: what deployed hubs get wrong",
}
# Rows whose own words for their level say less than the section they stand in, or more.
WEIGHTS = {
    "VAL-05": Level.SHOULD,
    "VAL-06": Level.MAY,
    "UNS-02": Level.MAY,
    "UNS-03": Level.SHOULD,
    "DIS-14": Level.SHOULD,
    "SIG-06": Level.MUST,
    "SEC-02": Level.MAY,
}
OF_PROFILE = {"compat": Level.LEGACY, "sec": Level.SECURITY}
# What a specification states or defines binds as a MUST does.
OF_FIRST_WORD = {
    "MUST": Level.MUST,
    "stated": Level.MUST,
    "def.": Level.MUST,
    "SHOULD": Level.SHOULD,
    "MAY": Level.MAY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One row: a rule for hubs, how a black box checks it, and when it passes."""

    id: str
    section: str
    level: str
    profile: str
    requirement: str
    test: str
    passes_if: str

    @property
    def weight(self) -> Level:
        """The level that the suite gives the row."""
        if self.id in WEIGHTS:
            return WEIGHTS[self.id]
        if self.profile in OF_PROFILE:
            return OF_PROFILE[self.profile]
        return OF_FIRST_WORD.get(self.level.split()[0], Level.SHOULD)


@cache
def rows() -> dict[str, Requirement]:
    """Returns the rows by id, those beyond the specification last."""
    found = {}
    for name in ("requirements.json", "beyond.json"):
        text = files("conformance").joinpath(name).read_text(encoding="utf-8")
        for fields in json.loads(text):
            found[fields["id"]] = Requirement(**fields)
    return found


def row(row_id: str) -> Requirement:
    """Returns one row."""
    return rows()[row_id]


def group_of(case_id: str) -> str:
    """Returns the title of the group that a case or row belongs to."""
    return GROUPS[case_id.partition("-")[0]]
