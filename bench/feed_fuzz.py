"""Damages feeds at random, and sees whether reading, cutting and merging keep their word.

    python -m bench.feed_fuzz FOLDER MINUTES [SEED]

What breaks a law, raises, or takes longer than a second for 100 kB is written to the folder
`feed-fuzz-finds` in the working directory, and told.
"""

import random
import resource
import sys
import time
from itertools import pairwise
from pathlib import Path

from hub.feeds.diff import diff
from hub.feeds.document import Feed, read_document
from hub.feeds.fat_ping import cut, merge, pack, unpack

LONGEST_BYTES = 100_000
PIECES = (
    *(
        b"<",
        b">",
        b"&",
        b'"',
        b"'",
        b"/",
        b"!",
        b"?",
        b"[",
        b"]",
        b"-",
        b"=",
        b"\0",
        b"\xff",
        b"\n",
    ),
    *(b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?xml ", b"?>", b"</", b"/>", b"&amp;", b"&nbsp;"),
    *(b"<item>", b"</item>", b"<entry>", b"</entry>", b"<channel>", b"</channel>", b"</rss>"),
    *(b"<!DOCTYPE rss [", b'<!ENTITY a "&a;&a;">', b"]>", b"&a;", b"&#0;", b"&#x110000;", b"&#38;"),
    *(
        b' xmlns="urn:x"',
        b' xmlns:a=""',
        b" xml:base='x'",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\x01\x02",
    ),
    *(
        b'encoding="utf-16"',
        b'encoding="shift_jis"',
        b'encoding="gb18030"',
        b"{",
        b"}",
        b",",
        b'"id"',
    ),
    *(b"<title/>", b"<guid>", b"</guid>", b"<pubDate>", b"</pubDate>", b"https://", b"?utm_a=1&"),
)
CHARSETS = ("", "utf-8", "utf-16", "windows-1252", "shift_jis", "gb18030", "euc-kr", "iso-2022-jp")
ENCODINGS = ("utf-16", "utf-32", "utf-16be", "shift_jis", "gb18030", "big5", "iso-2022-jp")


def damaged(chance: random.Random, bodies: list[bytes]) -> bytes:
    """Return one of the bodies, changed in a few places."""
    body = chance.choice(bodies)
    if chance.random() < 0.1:
        text = body.decode("utf-8", "replace")
        body = text.encode(chance.choice(ENCODINGS), "xmlcharrefreplace")
    for _ in range(chance.choice((0, 1, 1, 2, 3, 8, 30))):
        at = chance.randrange(len(body) + 1)
        behind = min(len(body), at + chance.choice((0, 1, 4, 40, 400)))
        match chance.randrange(6):
            case 0:
                body = body[:at] + chance.choice(PIECES) + body[at:]
            case 1:
                body = body[:at] + body[behind:]
            case 2:
                body = (
                    body[:at] + chance.choice(PIECES) * chance.choice((1, 3, 300)) + body[behind:]
                )
            case 3:
                other = chance.choice(bodies)
                start = chance.randrange(len(other) + 1)
                body = body[:at] + other[start : start + 500] + body[at:]
            case 4:
                body = body[:at] + body[at:behind] * chance.choice((2, 20)) + body[behind:]
            case _:
                body = body[: chance.randrange(len(body) + 1)] if chance.random() < 0.2 else body
    return body[:LONGEST_BYTES]


def broken_law(body: bytes, content_type: str) -> str:
    """Return which law a document breaks; empty where it keeps them all."""
    feed = read_document(body, content_type)
    if not isinstance(feed, Feed):
        return ""
    broken = [name for name, holds in LAWS.items() if not holds(feed, content_type)]
    return ", ".join(broken)


def _is_in_order(feed: Feed, _: str) -> bool:
    spans = [(0, 0), *((entry.start, entry.end) for entry in feed.entries)]
    return all(start < end for start, end in spans[1:]) and all(
        before[1] <= behind[0] for before, behind in pairwise(spans)
    )


def _is_read_alike_with_records(feed: Feed, content_type: str) -> bool:
    seen = diff(feed, {}, number=1).updates
    return read_document(feed.body, content_type, seen) == feed


def _has_no_news_beside_itself(feed: Feed, _: str) -> bool:
    return not diff(feed, diff(feed, {}, number=1).updates, number=2).news


def _is_packed_and_merged_unchanged(feed: Feed, _: str) -> bool:
    whole, half = cut(feed, feed.entries), cut(feed, feed.entries[::2])
    merged, count = merge([half, whole])
    if not feed.context.is_well_formed:
        return unpack(pack(half)) == half and (merged, count) == (half, 1)
    pieces = [merged.document[entry.start : entry.end] for entry in merged.entries]
    published = [feed.body[entry.start : entry.end] for entry in feed.entries]
    return unpack(pack(half)) == half and pieces == published


def _is_whole_with_all_entries(feed: Feed, _: str) -> bool:
    return bool(feed.closing) or cut(feed, feed.entries).document == feed.body


def _is_well_formed_when_cut(feed: Feed, content_type: str) -> bool:
    # Twins are told apart only while both are there.
    if feed.fault or feed.closing or not feed.sources:
        return True
    half = cut(feed, feed.entries[::2])
    again = read_document(half.document, content_type)
    return isinstance(again, Feed) and again.entries == half.entries and not again.fault


LAWS = {
    "entries out of order": _is_in_order,
    "records change what is read": _is_read_alike_with_records,
    "news beside itself": _has_no_news_beside_itself,
    "packing or merging changes bytes": _is_packed_and_merged_unchanged,
    "all entries are not the whole": _is_whole_with_all_entries,
    "cut, it reads otherwise": _is_well_formed_when_cut,
}


def main() -> None:
    """Run for as long as was asked, and print what was found."""
    folder, minutes = Path(sys.argv[1]), float(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    chance = random.Random(seed)
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    bodies = [body for path in paths if (body := path.read_bytes()[:LONGEST_BYTES])]
    finds = Path("feed-fuzz-finds")
    ends_s = time.monotonic() + minutes * 60
    rounds = found = 0
    slowest_s = 0.0
    while time.monotonic() < ends_s:
        body = damaged(chance, bodies)
        content_type = f"text/xml; charset={chance.choice(CHARSETS)}"
        started_s = time.process_time()
        try:
            law = broken_law(body, content_type)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a find
            law = f"raised {error!r}"
        taken_s = time.process_time() - started_s
        slowest_s = max(slowest_s, taken_s)
        rounds += 1
        if law or taken_s > 1:
            found += 1
            finds.mkdir(exist_ok=True)
            (finds / f"{seed}-{rounds}").write_bytes(body)
            print(f"{seed}-{rounds}: {law or f'took {taken_s:.1f} s'} ({content_type})", flush=True)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{rounds} documents, {found} finds, slowest {slowest_s:.2f} s, peak {peak_mb} MB")


if __name__ == "__main__":
    main()
