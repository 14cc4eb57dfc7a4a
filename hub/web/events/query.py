"""What a reader of events asks for."""

import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from hub.protocol.rejection import RequestRejected
from hub.protocol.urls import url_fault
from hub.store.event_id import EventId

TOPICS_MAX: Final = 128
LIMIT_DEFAULT: Final = 100
LIMIT_MAX: Final = 1_000
# Less than the minute after which proxies give up.
WAIT_MAX_S: Final = 55
_ID = re.compile(r"(?:[0-9]{1,15}-[0-9]{1,15}\.\.)?([0-9]{1,15}-[0-9]{1,9})", re.ASCII)
_SPAN = re.compile(r"([0-9]{1,9})([smhd]?)", re.ASCII)
_UNIT_MS = {"": 1_000, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_EARLIEST = "earliest"


class Start(enum.Enum):
    """A place in the log that needs no cursor."""

    NOW = "now"
    EARLIEST = "earliest"


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """A cursor: what follows this event, which the reader has."""

    event_id: EventId


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """So long ago."""

    ms: int


Beginning: TypeAlias = Start | After | Since


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to read.

    Attributes:
        topics: exact URLs, each once.
        limit: most events in one answer.
        wait_s: how long an answer without events may wait for one.
    """

    topics: tuple[str, ...]
    beginning: Beginning
    limit: int
    wait_s: int


def read_query(
    fields: Sequence[tuple[str, str]], last_event_id: str | None, *, url_max_bytes: int
) -> Query:
    """Returns what the fields of a query string ask for.

    Args:
        fields: decoded.
        last_event_id: the header by which EventSource resumes; it goes before `after`.
        url_max_bytes: the longest topic.

    Raises:
        RequestRejected: a field is missing, repeated or malformed.
    """
    topics = tuple(dict.fromkeys(value for name, value in fields if name == "topic"))
    _check_topics(topics, url_max_bytes)
    once = _once(fields, ("after", "since", "limit", "wait"))
    return Query(
        topics=topics,
        beginning=_beginning(last_event_id, once),
        limit=_number(once, "limit", LIMIT_DEFAULT, range(1, LIMIT_MAX + 1)),
        wait_s=_number(once, "wait", 0, range(WAIT_MAX_S + 1)),
    )


def _check_topics(topics: Sequence[str], url_max_bytes: int) -> None:
    if not topics:
        raise RequestRejected(
            "topic is missing: name one or several, as in /events?topic=URL.", field="topic"
        )
    if len(topics) > TOPICS_MAX:
        raise RequestRejected(f"Name at most {TOPICS_MAX} topics in one request.", field="topic")
    for topic in topics:
        if fault := url_fault(topic, url_max_bytes=url_max_bytes):
            raise RequestRejected(f"topic {fault}.", field="topic")


def _once(fields: Iterable[tuple[str, str]], names: Sequence[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, value in fields:
        if name in names:
            if name in found:
                raise RequestRejected(f"{name} must be sent only once.", field=name)
            found[name] = value.strip()
    return found


def _beginning(last_event_id: str | None, fields: Mapping[str, str]) -> Beginning:
    cursor = last_event_id or fields.get("after")
    if cursor == _EARLIEST:
        return Start.EARLIEST
    if cursor:
        return After(event_id=_event_id(cursor))
    if since := fields.get("since"):
        return Since(ms=_span_ms(since))
    return Start.NOW


def _event_id(text: str) -> EventId:
    # Of a merged delivery's id, `<from>..<to>`, the end counts.
    found = _ID.fullmatch(text)
    if found is None:
        raise RequestRejected(
            "after must be the id of an event, as this hub gave it, or earliest.", field="after"
        )
    return EventId.parse(found[1])


def _span_ms(text: str) -> int:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise RequestRejected("since must be a time like 30s, 10m, 2h or 7d.", field="since")
    return int(found[1]) * _UNIT_MS[found[2]]


def _number(fields: Mapping[str, str], name: str, default: int, allowed: range) -> int:
    text = fields.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text[:6]) not in allowed or len(text) > 6:
        bounds = f"from {allowed.start} to {allowed.stop - 1}"
        raise RequestRejected(f"{name} must be a whole number {bounds}.", field=name)
    return int(text)
