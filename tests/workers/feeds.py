"""Feeds of a test's making: versions of a small feed, and what is in a delivery."""

import json
import re

ATOM = "application/atom+xml; charset=utf-8"
JSON = "application/feed+json"
_ENTRY = re.compile(rb"<id>(urn:e:[^<]+)</id>.*?<title>([^<]*)</title>", re.DOTALL)


def atom(*entries: str, updated: str = "2026-01-01T00:00:00Z", head: str = "") -> bytes:
    """Returns a feed with these entries, given as `name` or `name=title`, newest first."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<feed xmlns="http://www.w3.org/2005/Atom">{head}\n'
        f"<title>A feed</title><id>urn:feed</id><updated>{updated}</updated>"
        + "".join(_entry(*entry.partition("=")[::2]) for entry in entries)
        + "\n</feed>\n"
    ).encode()


def _entry(name: str, title: str) -> str:
    return (
        f"\n  <entry><id>urn:e:{name}</id><title>{title or name}</title>"
        "<updated>2026-01-01T00:00:00Z</updated></entry>"
    )


def entries_of(body: bytes) -> list[str]:
    """Returns the entries of a delivered feed, as `atom` takes them."""
    found = [(i.decode().removeprefix("urn:e:"), t.decode()) for i, t in _ENTRY.findall(body)]
    return [name if name == title else f"{name}={title}" for name, title in found]


def json_feed(*items: str, title: str = "A feed") -> bytes:
    """Returns a JSON Feed with these items, given as `name` or `name=title`, newest first."""
    version = "https://jsonfeed.org/version/1.1"
    written = [{"id": one.partition("=")[0], "title": one.partition("=")[2]} for one in items]
    return json.dumps({"version": version, "title": title, "items": written}).encode()
