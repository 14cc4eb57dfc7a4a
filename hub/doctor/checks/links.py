"""Whether subscribers can find the hub and the topic's own URL (WebSub 4)."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from hub.doctor.finding import Finding, advice, counted, fault, ok
from hub.doctor.observation import Answer, HubSeen, Observation, Page, Unreached
from hub.doctor.reading import Kind
from hub.protocol.urls import normalised

_RELATIVE_WHY = "Readers that copy the feed elsewhere, or know no base URL, are led astray."
_SOME_HUB = "https://hub.example/"
_DEFAULT_PORTS = {"http": 80, "https": 443}


def check_hub_link(seen: Observation, page: Page) -> Iterator[Finding]:
    """Check that a hub is named, where subscribers look."""
    hubs = page.reading.links.hubs
    if not hubs:
        yield _no_hub(page, seen.our_hub.url if seen.our_hub else _SOME_HUB)
        return
    places = [place.name for place in page.reading.places if place.hubs]
    where = " and in ".join(places)
    yield ok("hub link", f"In {where}: {', '.join(hubs)}.")
    if len(hubs) > 1:
        yield advice(
            "hub link",
            f"The topic names {counted(len(hubs), 'hub')}.",
            mend="Ping each of them at every change, or name one only.",
            why="Each subscriber chooses one: whoever chose a hub that is not told gets nothing "
            "(WebSub 6).",
        )
    yield from relative("hub link", [hub for place in page.reading.places for hub in place.hubs])
    yield from _contradiction(page)
    yield from _unsafe_hubs(page)


def _no_hub(seen: Page, hub: str) -> Finding:
    if seen.reading.json_hubs:
        found = "The feed has hubs of its own kind, but no Link header names one."
    elif b'rel="hub"' in seen.answer.body or b"rel='hub'" in seen.answer.body:
        found = "There is a rel=hub in the document, but not where subscribers look."
    else:
        found = "No hub is named, neither in a Link header nor in the document."
    return fault(
        "hub link",
        found,
        mend=f"Add {example(seen.reading.kind, 'hub', hub)}",
        why="Subscribers learn from it whom to ask; without it nobody can subscribe (WebSub 4).",
    )


def example(kind: Kind, relation: str, url: str) -> str:
    """Return what to add where, to be read after "Add"."""
    match kind:
        case Kind.ATOM:
            return f'<link rel="{relation}" href="{url}"/> to the feed, beside its entries.'
        case Kind.RSS | Kind.RDF | Kind.UNREADABLE_FEED:
            return (
                f'<atom:link rel="{relation}" href="{url}"/> to the channel, and '
                'xmlns:atom="http://www.w3.org/2005/Atom" to the first element.'
            )
        case Kind.HTML:
            return f'<link rel="{relation}" href="{url}"> to the head of the page.'
        case _:
            return f'the header Link: <{url}>; rel="{relation}" to the answer.'


def relative(check: str, references: list[str]) -> Iterator[Finding]:
    """Check that links are written as whole URLs."""
    without_host = [
        one for one in references if not one.lower().startswith(("http://", "https://"))
    ]
    if without_host:
        yield advice(
            check,
            f"The link is written without a host: {without_host[0]}",
            mend="Write the whole URL, with https:// and host.",
            why=_RELATIVE_WHY,
        )


def _contradiction(seen: Page) -> Iterator[Finding]:
    named = [frozenset(map(same_form, place.hubs)) for place in seen.reading.places if place.hubs]
    if len(set(named)) > 1:
        yield advice(
            "hub link",
            "The Link header and the document name different hubs.",
            mend="Let both name the same.",
            why="The header counts (WebSub 4), but subscribers that read the document alone ask "
            "the other one.",
        )


def _unsafe_hubs(seen: Page) -> Iterator[Finding]:
    is_safe = seen.answer.url.startswith("https:")
    unsafe = [hub for hub in seen.reading.links.hubs if hub.lower().startswith("http:")]
    if is_safe and unsafe:
        yield advice(
            "hub link",
            f"The topic comes over https, its hub over http: {unsafe[0]}",
            mend="Name the https URL of the hub, if it has one.",
            why="Subscribers send the hub their secret: it should not be read on the way "
            "(WebSub 5.1).",
        )


def check_hubs_alive(seen: Page) -> Iterator[Finding]:
    """Check that each hub that is named behaves as one."""
    for hub in seen.hubs:
        yield _alive(hub)


def _alive(hub: HubSeen) -> Finding:
    match hub.reply:
        case Unreached(reason=reason):
            return _dead(f"The hub {hub.url} cannot be reached: {reason}.")
        case Answer(status=404 | 405 | 410 as status):
            return _dead(f"At {hub.url} there is no hub: it answers a POST with {status}.")
        case Answer(status=status) if status >= 500:
            return _dead(f"The hub {hub.url} is in trouble: it answers {status}.")
        case Answer(status=status) if 400 <= status <= 499:
            return ok("hub", f"{hub.url} answers, and refuses an empty request as it should.")
        case Answer(status=status):
            return advice(
                "hub",
                f"{hub.url} answers an empty request with {status}.",
                mend="See that the URL is the hub's own endpoint, and not its home page.",
                why="A hub refuses a request that asks for nothing (WebSub 5.1.2).",
            )


def _dead(found: str) -> Finding:
    return fault(
        "hub",
        found,
        mend="Correct the URL, or name a hub that works.",
        why="Whoever wants to subscribe is sent there, and fails.",
    )


def check_our_hub(seen: Observation, page: Page) -> Iterator[Finding]:
    """Check that the hub that the user has in mind is among those that are named."""
    ours = seen.our_hub
    if ours is None or not page.reading.links.hubs:
        return
    if same_form(ours.url) in map(same_form, page.reading.links.hubs):
        yield ok("your hub", f"{ours.url} is named.")
        return
    note = fault if ours.is_asked_for else advice
    yield note(
        "your hub",
        f"{ours.url} is not among the hubs that the topic names.",
        mend=f"Name it: {example(page.reading.kind, 'hub', ours.url)}",
        why="Subscribers go to the hub that is named; a ping to another one reaches none of them.",
    )


def same_form(url: str) -> str:
    """Return a URL in a form that is equal for what surely is one place (RFC 3986 6.2)."""
    parts = urlsplit(normalised(url))
    try:
        port = parts.port
    except ValueError:
        port = None
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    shown = "" if port in {None, _DEFAULT_PORTS.get(scheme)} else f":{port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{scheme}://{host}{shown}{parts.path or '/'}{query}"
