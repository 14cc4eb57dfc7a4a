"""A JSON Feed (jsonfeed.org), as far as the doctor looks into it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.feeds.json_feed import VERSION, is_json


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonFeed:
    """The WebSub hubs that it names in its own way, and its items."""

    hubs: tuple[str, ...]
    items: tuple[Mapping[str, Any], ...]


def read_json_feed(body: bytes) -> JsonFeed | None:
    """Return the document as a JSON Feed, None where it is none. Never raises."""
    if not is_json(body):
        return None
    try:
        whole = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(whole, dict) or VERSION not in str(whole.get("version")):
        return None
    hubs = (hub.get("url") for hub in _records(whole.get("hubs")))
    return JsonFeed(
        hubs=tuple(hub for hub in hubs if isinstance(hub, str)),
        items=_records(whole.get("items")),
    )


def _records(value: object) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(value, list):
        return ()
    return tuple(item for item in value if isinstance(item, dict))
