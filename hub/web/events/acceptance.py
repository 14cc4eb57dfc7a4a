"""Which of its forms a reader of events wants, by its Accept header (RFC 9110 12.5.1)."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias


class Form(enum.Enum):
    """The forms that every topic has."""

    PULL = "application/json"
    LINES = "application/x-ndjson"
    SSE = "text/event-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """The topic's own format: of one of these types, or else in another form, if any will do."""

    types: tuple[str, ...]
    otherwise: Form | None


Wanted: TypeAlias = Form | Raw

_FORMS: Final[Mapping[str, Form]] = {
    "text/event-stream": Form.SSE,
    "application/x-ndjson": Form.LINES,
    "application/ndjson": Form.LINES,
    "application/jsonl": Form.LINES,
    "application/json": Form.PULL,
    "application/*": Form.PULL,
    "*/*": Form.PULL,
    # A browser's address bar.
    "text/html": Form.PULL,
}


def wanted_form(accept: str) -> Wanted:
    """Returns what an Accept header asks for first; what is no form may be the topic's own type."""
    raw: list[str] = []
    for media_type in _by_preference(accept):
        if form := _FORMS.get(media_type):
            return Raw(types=tuple(raw), otherwise=form) if raw else form
        raw.append(media_type)
    return Raw(types=tuple(raw), otherwise=None) if raw else Form.PULL


def media_type_of(content_type: str) -> str:
    """Returns a content type less its parameters."""
    return content_type.partition(";")[0].strip().lower()


def _by_preference(accept: str) -> list[str]:
    ranges = [_range(part) for part in accept.split(",") if part.strip()]
    ranges.sort(key=lambda found: -found[0])
    return [media_type for quality, media_type in ranges if quality > 0]


def _range(part: str) -> tuple[float, str]:
    media_type, *parameters = part.split(";")
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            quality = _quality(value)
    return quality, media_type.strip().lower()


def _quality(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 1.0
