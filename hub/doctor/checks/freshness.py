"""Whether a fetch costs no more than it must, and brings what is new."""

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from hub.doctor.comparison import news_count
from hub.doctor.finding import Finding, advice, counted, fault, ok, quoted
from hub.doctor.observation import Answer, Observation, Page, Reply, Unreached
from hub.feeds.document import Feed

# Clocks of two machines may differ by so much without anybody being to blame.
CLOCK_TOLERANCE_S = 300
_EXCERPT_BYTES = 40
_MAX_AGE = re.compile(r"(?:^|,)\s*(s-maxage|max-age)\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
_CACHE_SIGNS = ("age", "x-cache", "cf-cache-status", "x-cache-hits", "x-varnish", "x-served-by")
_NEEDLESS = "The hub, and every reader that polls, fetches the whole document to find nothing new."


def check_validators(seen: Page) -> Iterator[Finding]:
    """Check that who has the document already need not fetch it again (RFC 9110 13)."""
    match seen.conditional:
        case Answer(status=304):
            yield ok("validators", f"{_named(seen)}; an unchanged document is not sent again.")
        case None:
            yield advice(
                "validators",
                "There is neither an ETag nor a Last-Modified.",
                mend="Let the server send one of them; most do so by themselves for plain files.",
                why=_NEEDLESS,
            )
        case Answer(status=200):
            # What differs by itself is told by check_stability.
            if not _differs_by_itself(seen):
                yield advice(
                    "validators",
                    f"{_named(seen)}, but the unchanged document is sent all the same.",
                    mend="Let the server answer 304 to If-None-Match and If-Modified-Since.",
                    why=_NEEDLESS,
                )
        case Answer() | Unreached() as failure:
            yield _refused_condition(failure)


def _refused_condition(failure: Reply) -> Finding:
    what = f"answered {failure.status}" if isinstance(failure, Answer) else failure.reason
    return fault(
        "validators",
        f"Asked whether the document has changed, the server failed: {what}.",
        mend="Let it answer 304 or 200 to If-None-Match and If-Modified-Since.",
        why="That is how a hub asks, so it never gets the document.",
    )


def _named(seen: Page) -> str:
    names = {"etag": "an ETag", "last-modified": "a Last-Modified"}
    given = " and ".join(shown for name, shown in names.items() if seen.answer.header(name))
    return f"There is {given}"


def _differs_by_itself(seen: Page) -> bool:
    again = seen.again
    return isinstance(again, Answer) and again.status == 200 and again.body != seen.answer.body


def check_stability(seen: Page) -> Iterator[Finding]:
    """Check that two requests get the same document."""
    again = seen.again
    if isinstance(again, Unreached) or again.status != 200:
        problem = again.reason if isinstance(again, Unreached) else f"status {again.status}"
        yield fault(
            "stability",
            f"Asked a second time, the server did not send the document ({problem}).",
            mend="See whether it limits how often one address may ask.",
            why="A hub fetches at each ping, sometimes twice within a few seconds.",
        )
    elif again.body != seen.answer.body:
        yield _difference(seen, again)
    elif again.header("etag") != seen.answer.header("etag"):
        yield advice(
            "stability",
            "The document was the same a second later, its ETag was not.",
            mend="Make the ETag of the content alone; behind several servers, in the same way.",
            why=_NEEDLESS,
        )
    else:
        yield ok("stability", "Two requests got the same document.")


def _difference(seen: Page, again: Answer) -> Finding:
    old, new = seen.reading.document, seen.again_reading and seen.again_reading.document
    where = _first_difference(seen.answer.body, again.body)
    if isinstance(old, Feed) and isinstance(new, Feed) and not news_count(old, new):
        return advice(
            "stability",
            f"The document differs at each request, though nothing in it is new{where}.",
            mend="Write such a date only when an entry has changed.",
            why=_NEEDLESS,
        )
    what = "entries that look new" if isinstance(new, Feed) else "another document"
    if isinstance(old, Feed) and isinstance(new, Feed):
        what = counted(news_count(old, new), "entry that looks new", "entries that look new")
    return fault(
        "stability",
        f"A second request brought {what}{where}.",
        mend="Leave out what changes at each request: dates, random numbers, counters "
        "(unless you have just published).",
        why="Each ping delivers it to every subscriber again, as if it were news.",
    )


def _first_difference(old: bytes, new: bytes) -> str:
    pairs = enumerate(zip(old, new, strict=False))
    at = next((at for at, (one, other) in pairs if one != other), min(len(old), len(new)))
    excerpt = new[max(at - _EXCERPT_BYTES, 0) : at + _EXCERPT_BYTES].decode("utf-8", "replace")
    # What the cut has left of a character at either end.
    shown = " ".join(excerpt.strip("\ufffd").split())
    return f", near {quoted(shown)}" if shown else ""


def check_caches(seen: Page) -> Iterator[Finding]:
    """Check that no cache keeps from the hub what has just been published."""
    control = seen.answer.header("cache-control")
    ages = {name.lower(): int(age) for name, age in _MAX_AGE.findall(control)}
    kept_s = ages.get("s-maxage", ages.get("max-age", 0))
    signs = [name for name in _CACHE_SIGNS if seen.answer.header(name)]
    age = seen.answer.header("age")
    if signs and (kept_s or age.strip("0")):
        old = f"was {age} s old" if age.isdecimal() else "came through one"
        kept = f", and may be kept for {kept_s} s" if kept_s else ""
        yield advice(
            "caches",
            f"There is a cache before the server: the document {old}{kept} ({signs[0]}).",
            mend="Let publishing clear that cache before the ping, or send Cache-Control: no-cache "
            "and an ETag.",
            why="After a ping the hub is given the old document, and finds nothing new in it.",
        )
    elif kept_s:
        yield ok("caches", f"None is on the way to us; others may keep it for {kept_s} s.")
    else:
        yield ok("caches", "Nothing keeps an old document from being replaced.")


def check_last_modified(seen: Observation, page: Page) -> Iterator[Finding]:
    """Check that the document was not last changed in the future."""
    given = page.answer.header("last-modified")
    try:
        at_s = parsedate_to_datetime(given).timestamp() if given else 0
    except (ValueError, OverflowError):
        yield advice(
            "last change",
            f"The Last-Modified is no date: {quoted(given)}.",
            mend="Write it like this: Sun, 06 Nov 1994 08:49:37 GMT.",
            why="Nobody can ask whether the document has changed since (RFC 9110 8.8.2).",
        )
        return
    if at_s > seen.now_s + CLOCK_TOLERANCE_S:
        yield advice(
            "last change",
            f"The Last-Modified lies in the future: {given}.",
            mend="Set the server's clock, or the date of the file.",
            why="A change before that time is taken for none.",
        )


CHECKS = (check_validators, check_stability, check_caches)
