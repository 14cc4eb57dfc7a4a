"""What an event looks like: one JSON object, the same on every channel (docs/events.md)."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from hub.store.event_id import EventId

Entry = Mapping[str, str | None]
Fields = dict[str, Any]

# What a reader needs before the first event: the place to come back to.
START: Final = "start"
EVENT: Final = "event"
RESET: Final = "reset"


def start_fields(cursor: EventId) -> Fields:
    """Returns the first frame of a stream without ids of its own."""
    return {"type": START, "id": str(cursor)}


def reset_fields(*, topic: str, event_id: EventId) -> Fields:
    """Returns the mark where history is gone: what came before this id, and was not sent."""
    return {"type": RESET, "id": str(event_id), "topic": topic, "time": _time(event_id)}


def event_fields(*, topic: str, event_id: EventId, content_type: str) -> Fields:
    """Returns what every event has: alone, that of a document whose body is not kept any more."""
    return {
        "type": EVENT,
        "id": str(event_id),
        "topic": topic,
        "time": _time(event_id),
        "content_type": content_type,
    }


def body_fields(body: bytes, content_type: str) -> Fields:
    """Returns a document: its text where it is text, else base64."""
    text = _text(body, content_type)
    if text is None:
        return {"body_base64": base64.b64encode(body).decode("ascii")}
    return {"body": text}


def entry_fields(sources: Sequence[str], described: Sequence[Entry] | None) -> Fields:
    """Returns a feed's entries; those that could not be described have their source alone."""
    if described is None:
        return {"entries": [{"source": source} for source in sources]}
    pairs = zip(described, sources, strict=True)
    return {"entries": [{**entry, "source": source} for entry, source in pairs]}


def left_out() -> Fields:
    """Returns what stands for content that is far too large to be looked at."""
    return {"truncated": True}


def as_json(fields: Fields) -> bytes:
    """Returns an event on one line; what no UTF-8 can say becomes a question mark."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def fitted(fields: Fields, *, bytes_max: int) -> bytes:
    """Returns an event of no more than so many bytes.

    Of one that is larger the sources or the body are left out, and of what is still larger the
    last entries; `truncated` says so.
    """
    whole = as_json(fields)
    if len(whole) <= bytes_max:
        return whole
    kept = {name: value for name, value in fields.items() if not name.startswith("body")}
    kept["truncated"] = True
    if "entries" in kept:
        without = [
            {name: value for name, value in entry.items() if name != "source"}
            for entry in kept["entries"]
        ]
        kept["entries"] = [entry for entry in without if entry]
    while len(smaller := as_json(kept)) > bytes_max and kept.get("entries"):
        kept["entries"] = kept["entries"][: len(kept["entries"]) // 2]
    return smaller


def _time(event_id: EventId) -> str:
    at = datetime.fromtimestamp(event_id.ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(body: bytes, content_type: str) -> str | None:
    parameters = content_type.lower().partition("charset=")[2]
    charset = parameters.partition(";")[0].strip(" \"'") or "utf-8"
    for encoding in ("utf-8", charset):
        try:
            text = body.decode(encoding)
        except (UnicodeError, LookupError):
            continue
        return None if "\0" in text else text
    return None
