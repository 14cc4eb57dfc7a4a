"""Whether the topic says what it is called, and is found under that name (WebSub 4)."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from hub.doctor.checks.links import example, relative, same_form
from hub.doctor.comparison import has_news
from hub.doctor.finding import Finding, advice, fault, ok
from hub.doctor.observation import Answer, Page, Unreached, Visit
from hub.doctor.reading import Reading, read

_ONE_NAME = (
    "Subscribers use the URL of rel=self (WebSub 5.1): the hub has to be pinged for that one."
)


def check_self_link(seen: Page) -> Iterator[Finding]:
    """Check that the topic names the URL under which it was found, or one as good."""
    self_url, url = seen.reading.links.self_url, seen.answer.url
    if self_url is None:
        yield fault(
            "self link",
            "The topic does not say what its own URL is.",
            mend=f"Add {example(seen.reading.kind, 'self', url)}",
            why="Subscribers that came by different URLs of one feed all ask for the one that it "
            "names; without it a ping may miss them (WebSub 4).",
        )
        return
    yield from relative("self link", [s for place in seen.reading.places for s in place.selves])
    yield from _contradiction(seen)
    if seen.self_visit is None:
        yield ok("self link", f"The topic names the URL at which it was found: {self_url}")
    else:
        yield _other_url(seen, seen.self_visit)


def _contradiction(seen: Page) -> Iterator[Finding]:
    named = {same_form(place.selves[0]) for place in seen.reading.places if place.selves}
    absolute = {url for url in named if urlsplit(url).hostname}
    if len(absolute) > 1:
        yield advice(
            "self link",
            "The Link header and the document name different URLs.",
            mend="Let both name the same.",
            why="The header counts (WebSub 4), but who reads the document alone takes the other.",
        )


def _other_url(seen: Page, visit: Visit) -> Finding:
    url, end = seen.answer.url, visit.end
    if isinstance(end, Unreached) or end.status != 200:
        problem = end.reason if isinstance(end, Unreached) else f"it answers {end.status}"
        return fault(
            "self link",
            f"The topic says that its URL is {visit.url}, which cannot be read: {problem}.",
            mend=f"Write the URL that works: {url}",
            why=_ONE_NAME,
        )
    if not _is_same(seen, end):
        return fault(
            "self link",
            f"The topic says that its URL is {visit.url}, and there stands something else.",
            mend=f"Write the topic's own URL: {url}",
            why=_ONE_NAME,
        )
    return advice(
        "self link",
        f"The topic was read at {url} and calls itself {visit.url} "
        f"({_difference(url, visit.url)}).",
        mend="Use one URL everywhere, and ping for the one in rel=self.",
        why=_ONE_NAME,
    )


def _is_same(seen: Page, end: Answer) -> bool:
    if end.url == seen.answer.url or end.body == seen.answer.body:
        return True
    other = read(end.body, end.header("content-type"), end.values("link"), end.url)
    return other.kind is seen.reading.kind and not _differ(seen.reading, other)


def _differ(one: Reading, other: Reading) -> bool:
    return has_news(one.document, other.document) or has_news(other.document, one.document)


def _difference(one: str, other: str) -> str:
    if same_form(one) == same_form(other):
        return "the same, written otherwise"
    first, second = urlsplit(one), urlsplit(other)
    if first[1:] == second[1:]:
        return f"{first.scheme} and {second.scheme}"
    if one.rstrip("/") == other.rstrip("/"):
        return "with and without a slash at the end"
    if first.netloc != second.netloc:
        return "another host"
    return "another path"
