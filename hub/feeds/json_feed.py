"""JSON Feed (jsonfeed.org, versions 1.0 and 1.1): its items as entries."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hub.feeds.appearance import Draft, digest, folded
from hub.feeds.identity import identify
from hub.feeds.records import (
    MAX_ENTRIES,
    Context,
    Entry,
    Feed,
    Format,
    Surrounding,
    Uncuttable,
)

VERSION = "jsonfeed.org/version/"
_MARK = "\ufeff"
_BEFORE_JSON = _MARK.encode() + b" \t\r\n"
_SILENT = frozenset({"date_published", "date_modified"})
_DECODER = json.JSONDecoder()
_WHITE_SPACE = re.compile(r"[ \t\r\n]*+")
# White space as JSON writes it, behind backslashes that are text.
_WHITE_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\[nrt]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """A value of the list of items, and where it stands in the text."""

    value: Any
    start: int
    end: int


def is_json(body: bytes) -> bool:
    """Return whether a document looks like a JSON object."""
    return body[:64].lstrip(_BEFORE_JSON).startswith(b"{")


def read_json_feed(body: bytes) -> Feed:
    """Return a JSON Feed taken apart.

    Raises:
        Uncuttable: it is not JSON, or no JSON Feed.
    """
    try:
        text = body.decode("utf-8")
        return _read(body, text, dict(_members(text)))
    except RecursionError as error:
        raise Uncuttable("JSON nested too deeply") from error
    except ValueError as error:
        raise Uncuttable(f"not JSON: {str(error)[:60]}") from error


def _read(body: bytes, text: str, members: dict[str, Any]) -> Feed:
    version = members.get("version")
    items = members.get("items")
    if not isinstance(version, str) or VERSION not in version:
        raise Uncuttable("JSON, but no JSON Feed")
    if not isinstance(items, list) or not all(isinstance(one.value, dict) for one in items):
        raise Uncuttable("a JSON Feed without a list of items")
    return _feed(body, text, version, items)


def _feed(body: bytes, text: str, version: str, items: list[_Item]) -> Feed:
    in_body = _offsets(text, items)
    names = identify([_draft(one) for one in items])
    return Feed(
        format=Format.JSON_FEED,
        context=Context(
            format=Format.JSON_FEED,
            encoding="utf-8",
            doctype=b"",
            around=(Surrounding(name=version, inherited=()),),
            is_well_formed=True,
        ),
        body=body,
        end=len(body),
        closing=b"",
        entries=tuple(
            Entry(
                identity=name.identity,
                fingerprint=name.fingerprint,
                start=in_body[one.start],
                end=in_body[one.end],
            )
            for name, one in zip(names, items, strict=True)
        ),
        sources={},
        # JSON Feed has a way of its own to name hubs; WebSub 4 knows only XML and HTML.
        hub_links=(),
        self_link=None,
        fault=None,
    )


def _draft(one: _Item) -> Draft:
    item = one.value
    seen = {name: value for name, value in item.items() if name not in _SILENT}
    return Draft(
        fingerprint=digest(_folded(_WHITE_ESCAPE.sub(r"\1 ", json.dumps(seen, sort_keys=True)))),
        id=_text(item.get("id")),
        link=_text(item.get("url") or item.get("external_url")),
        title=_text(item.get("title")),
    )


def _text(value: object) -> bytes:
    """Return a text or number of an item; whole numbers stand for ids in some feeds."""
    return _folded(str(value)) if isinstance(value, str | int | float) else b""


def _folded(text: str) -> bytes:
    return folded(text.encode("utf-8", "surrogatepass")).strip()


def _offsets(text: str, items: list[_Item]) -> dict[int, int]:
    """Return offsets in bytes by offsets in characters, of all starts and ends."""
    found: dict[int, int] = {}
    here = in_body = 0
    for one in items:
        for at in (one.start, one.end):
            in_body += len(text[here:at].encode())
            here = at
            found[at] = in_body
    return found


def _members(text: str) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of an object; of `items` the value is the list of its _Items.

    Raises:
        ValueError: it is not JSON.
    """
    at = _behind(text, _behind(text, 0, _MARK if text.startswith(_MARK) else ""), "{")
    if text[at : at + 1] != "}":
        while True:
            if not text.startswith('"', at):
                raise ValueError(f'" expected at character {at}')
            name, at = _value(text, at)
            at = _behind(text, at, ":")
            value, at = _items(text, at) if name == "items" else _value(text, at)
            yield name, value
            if text[at : at + 1] != ",":
                break
            at = _behind(text, at, ",")
    if _behind(text, at, "}") != len(text):
        raise ValueError("text behind its end")


def _items(text: str, at: int) -> tuple[Any, int]:
    if text[at : at + 1] != "[":
        return _value(text, at)
    items: list[_Item] = []
    at = _behind(text, at, "[")
    if text[at : at + 1] == "]":
        return items, _behind(text, at, "]")
    while True:
        value, end = _DECODER.raw_decode(text, at)
        if len(items) == MAX_ENTRIES:
            raise Uncuttable(f"more than {MAX_ENTRIES} entries")
        items.append(_Item(value=value, start=at, end=end))
        at = _behind(text, end, "")
        if text[at : at + 1] != ",":
            return items, _behind(text, at, "]")
        at = _behind(text, at, ",")


def _value(text: str, at: int) -> tuple[Any, int]:
    value, end = _DECODER.raw_decode(text, at)
    return value, _behind(text, end, "")


def _behind(text: str, at: int, expected: str) -> int:
    """Return the offset behind what is expected there, and behind the white space after it."""
    if not text.startswith(expected, at):
        raise ValueError(f"{expected} expected at character {at}")
    space = _WHITE_SPACE.match(text, at + len(expected))
    return space.end() if space else at
