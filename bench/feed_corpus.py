"""What becomes of a folder of feeds: faithful, recovered or refused, and why; and of their series.

    python -m bench.feed_corpus FOLDER

Every file is read. A folder below FOLDER whose name is `series` holds a folder a feed, and in it
versions of that feed in order: for each step, the entries that are news to us are compared with
those that are new or say something else to feedparser.
"""

import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import feedparser
from lxml import etree

from hub.feeds.diff import Seen, diff
from hub.feeds.document import Feed, Opaque, read_document
from hub.feeds.fat_ping import cut

# What feedparser calls that which is no news to us (hub/feeds/vocabulary.py).
SILENT = (
    "published",
    "date_",
    "updated",
    "created",
    "slash_",
    "thr_",
    "media_statistics",
    "media_starr",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a file."""

    outcome: str
    detail: str


def judge(body: bytes) -> Verdict:
    """Return what became of a document; of a well-formed feed lxml reads the parts as well."""
    document = read_document(body, "")
    if isinstance(document, Opaque):
        theirs = len(feedparser.parse(body).entries)
        more = f"; feedparser finds {theirs}" if theirs else ""
        return Verdict(outcome="refused", detail=document.reason + more)
    count = f"{len(document.entries)} entries"
    if document.fault:
        theirs = len(feedparser.parse(body).entries)
        return Verdict(
            outcome="recovered", detail=f"{document.fault}; {count}, feedparser {theirs}"
        )
    if unlike := _unlike(document):
        return Verdict(outcome="NOT FAITHFUL", detail=unlike)
    return Verdict(outcome="faithful", detail=count)


def _unlike(feed: Feed) -> str:
    """Return in which way a feed cut to every second entry isn't what was published, or nothing."""
    kept = feed.entries[::2]
    ping = cut(feed, kept)
    pieces = [ping.document[entry.start : entry.end] for entry in ping.entries]
    if pieces != [feed.body[entry.start : entry.end] for entry in kept]:
        return "other bytes"
    if cut(feed, feed.entries).document != feed.body:
        return "other bytes as a whole"
    again = read_document(ping.document, f"a/b; charset={feed.context.encoding}")
    if not isinstance(again, Feed) or [e.identity for e in again.entries] != [
        e.identity for e in kept
    ]:
        return "reads otherwise"
    if feed.format.name == "JSON_FEED":
        return ""
    ours, theirs = _canonical(ping.document), _canonical(feed.body)
    return "" if ours is None or theirs is None or ours == theirs[::2] else "other canonical XML"


def _canonical(document: bytes) -> list[bytes] | None:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        root = etree.fromstring(document.lstrip(b"\xef\xbb\xbf \t\r\n"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    found = root.xpath(
        "/*[local-name()='feed']/*[local-name()='entry']|/rss/channel/item"
        "|/*[local-name()='RDF']/*[local-name()='item' or local-name()='channel']"
        "/descendant-or-self::*[local-name()='item']"
    )
    assert isinstance(found, list)
    return [etree.tostring(e, method="c14n") for e in found if isinstance(e, etree._Element)]  # noqa: SLF001


def _said(entry: Mapping[str, Any]) -> str:
    seen = {key: value for key, value in entry.items() if not key.startswith(SILENT)}
    return " ".join(str(sorted(seen.items())).split())


def _independently(body: bytes) -> dict[str, str]:
    """Return what another reader finds in a feed: what each entry says by its id."""
    entries: list[Mapping[str, Any]] = feedparser.parse(body).entries
    if body.lstrip()[:1] == b"{":
        entries = json.loads(body).get("items", [])
    said = [(entry.get("id") or entry.get("link"), _said(entry)) for entry in entries]
    return {str(name or what): what for name, what in said}


def compare(paths: list[Path]) -> Iterator[str]:
    """Yield for each step of a series where another reader and we differ, then the totals."""
    seen: dict[bytes, Seen] = {}
    known: dict[str, str] = {}
    totals: Counter[str] = Counter()
    for number, path in enumerate(paths, 1):
        body = path.read_bytes()
        feed = read_document(body, "", seen)
        if isinstance(feed, Opaque):
            yield f"  {path.name}: {feed.reason}"
            continue
        change = diff(feed, seen, number=number)
        for identity in change.evicted:
            del seen[identity]
        seen |= change.updates
        found = _independently(body)
        theirs = {name for name, said in found.items() if known.get(name) != said}
        known |= found
        if number > 1:
            ours = set(_independently(cut(feed, change.news).document))
            totals.update({"steps": 1, "our news": len(change.news), "theirs": len(theirs)})
            if ours != theirs:
                totals["steps that differ"] += 1
                yield f"  {path.name}: only us {ours - theirs}, only they {theirs - ours}"
    yield "  " + ", ".join(f"{name}: {count}" for name, count in totals.items())


def main() -> None:
    """Print a line for each file that isn't faithful, the totals, and the series."""
    folder = Path(sys.argv[1])
    totals: Counter[str] = Counter()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        body = path.read_bytes()
        if body.startswith(b"\x1f\x8b"):
            body = gzip.decompress(body)
        verdict = judge(body)
        totals[verdict.outcome] += 1
        if verdict.outcome != "faithful":
            print(f"{verdict.outcome:12} {path.relative_to(folder)}: {verdict.detail}")
    print(dict(totals))
    for series in sorted(folder.glob("series/*/")):
        print(series.name)
        for line in compare(sorted(path for path in series.iterdir() if path.is_file())):
            print(line)


if __name__ == "__main__":
    main()
