"""Judgements: each raises Mismatch, with what was expected and what came."""

import re
from typing import TypeVar
from urllib.parse import unquote

from conformance.exchange import Exchange, status_line
from conformance.verdict import Mismatch, Reported

T = TypeVar("T")
SHOWN_CHARACTERS = 200
# RFC 3986 2.3: letters, digits, and - . _ ~
ESCAPED_UNRESERVED = re.compile("%(?:2[DE]|3[0-9]|[46][1-9A-F]|[57][0-9A]|5F|7E)", re.IGNORECASE)


def require(held: object, expected: str, came: str, *shown_by: Exchange) -> None:
    """Raises Mismatch unless the first argument is true."""
    if not held:
        raise Mismatch(expected, came, *shown_by)


def equal(what: str, came: object, expected: object, *shown_by: Exchange) -> None:
    """Raises Mismatch unless two values are equal."""
    if came != expected:
        raise Mismatch(f"{what} {_short(expected)}", _short(came), *shown_by)


def spelt(what: str, came: str, given: str, *shown_by: Exchange) -> Reported | None:
    """Raises Mismatch unless a path or query came as it was given; tells what may be changed."""
    if came == given:
        return None
    # WebSub 5.1.1: "Hubs MUST always decode non-reserved characters for these URL parameters"
    decoded = ESCAPED_UNRESERVED.sub(lambda escape: unquote(escape[0]), given)
    equal(what, came, decoded if came == decoded else given, *shown_by)
    return Reported(finding=f"decodes escapes of letters, digits and -._~ in the {what}")


def present(came: T | None, expected: str, *shown_by: Exchange) -> T:
    """Returns a value that is there; raises Mismatch for None."""
    if came is None:
        raise Mismatch(expected, "none", *shown_by)
    return came


def status_is(answer: Exchange, expected: int, why: str) -> None:
    """Raises Mismatch unless an answer has exactly this status."""
    require(answer.status == expected, f"{status_line(expected)} {why}", answered(answer), answer)


def refused(answer: Exchange, why: str) -> Reported | None:
    """Raises Mismatch unless an answer is an error; one of class 5xx is only reported."""
    status = answer.status or 0
    require(400 <= status < 600, f"a 4xx answer to {why}", answered(answer), answer)
    return Reported(finding=f"answers {answered(answer)} to {why}") if status >= 500 else None


def accepted(answer: Exchange) -> None:
    """Raises Mismatch unless an answer is of class 2xx; which one is judged elsewhere."""
    require(200 <= (answer.status or 0) < 300, "the request accepted", answered(answer), answer)


def answered(answer: Exchange) -> str:
    """Returns an answer in short: its status, and its first words."""
    words = answer.answer_body[:120].decode("utf-8", "replace").split("\n")[0].strip()
    status = status_line(answer.status or 0)
    return f"{status}: {words}" if words and words.isprintable() else status


def _short(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."
