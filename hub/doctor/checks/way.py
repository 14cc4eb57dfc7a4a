"""Whether the topic can be reached, and how (WebSub 4)."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from hub.doctor.finding import Finding, advice, counted, fault, ok
from hub.doctor.hosts import is_own_network
from hub.doctor.observation import Answer, Hop, Observation, Unreached, Visit

SLOW_S = 5
_PERMANENT = frozenset({301, 308})
_REFUSALS = {
    401: "asks for a password",
    403: "refuses us",
    406: "finds nothing that it would send us",
    429: "says that we ask too often",
}


def check_answer(seen: Observation) -> Iterator[Finding]:
    """Check that there is an answer with something in it."""
    match seen.visit.end:
        case Unreached(reason=reason):
            yield fault(
                "answer",
                f"The topic cannot be read: {reason}.",
                mend="See that the URL is right and the server is up and open to the world.",
                why="A hub fetches the topic after each ping; what it cannot fetch it cannot pass "
                "on.",
            )
        case Answer() as answer if seen.page is None:
            yield _no_page(answer, seen.visit)
        case Answer() as answer if answer.took_s > SLOW_S:
            yield advice(
                "answer",
                f"The answer took {answer.took_s:.1f} s.",
                mend="Let the server keep the finished document instead of making it anew.",
                why="Every subscriber waits for it, and a hub gives up after some 20 s.",
            )
        case Answer() as answer:
            yield ok("answer", f"It answered 200 in {answer.took_s:.2f} s.")


def _no_page(answer: Answer, visit: Visit) -> Finding:
    status = answer.status
    if visit.hops and visit.hops[-1].url == answer.url:
        return fault(
            "answer",
            f"After {counted(len(visit.hops), 'redirect')} there is still no document.",
            mend="Let the URL redirect once at most, and to one that answers 200.",
            why="A hub follows 5 redirects at the most, and so do many subscribers.",
        )
    if status == 200:
        found = "It answered 200 with nothing in it."
    elif status in _REFUSALS:
        found = f"The server {_REFUSALS[status]} (status {status})."
    else:
        found = f"It answered {status} instead of 200."
    return fault(
        "answer",
        found,
        mend="Let the URL answer 200 with the document to everybody, programs included: we said "
        "who we are by our User-Agent, and a hub does the same."
        if status in _REFUSALS
        else "See that the URL is right; it has to answer 200 with the document.",
        why="A hub delivers nothing else than what comes with status 200.",
    )


def check_redirects(seen: Observation) -> Iterator[Finding]:
    """Check where the URL leads."""
    if seen.page is not None:
        yield _redirects(seen.visit.hops, seen.page.answer.url)


def _redirects(hops: Sequence[Hop], target: str) -> Finding:
    if not hops:
        return ok("redirects", "There are none.")
    if any(_is_downgrade(hop) for hop in hops):
        return fault(
            "redirects",
            f"The URL leads from https to http, to {target}.",
            mend="Let it lead to an https URL.",
            why="Whoever asked for a safe connection loses it, unasked.",
        )
    if all(hop.status in _PERMANENT for hop in hops):
        return advice(
            "redirects",
            f"The URL has moved for good, to {target}.",
            mend="Use that URL everywhere: in rel=self, in pings, and where people subscribe.",
            why="Subscribers and pings have to name the same URL, or the hub takes them for two "
            "topics.",
        )
    return advice(
        "redirects",
        f"The URL leads to {target} for the time being.",
        mend="Name the URL that answers in rel=self, and ping for that one.",
        why="Every fetch costs a request more, and the hub cannot know which URL lasts.",
    )


def _is_downgrade(hop: Hop) -> bool:
    return hop.url.startswith("https:") and (hop.target or "").startswith("http:")


def check_https(seen: Observation) -> Iterator[Finding]:
    """Check that the document comes over a safe connection."""
    if seen.page is None:
        return
    url = seen.page.answer.url
    if urlsplit(url).scheme == "https":
        yield ok("https", "The topic comes over https.")
    elif is_own_network(url):
        yield ok("https", "The topic comes over http, within your own network.")
    else:
        yield advice(
            "https",
            "The topic comes over http.",
            mend="Serve it over https, let the http URL redirect there for good, and name the "
            "https URL in rel=self.",
            why="Anybody on the way can change what is read, the hub's address included "
            "(WebSub 8).",
        )


CHECKS = (check_answer, check_redirects, check_https)
