"""Whether the document comes as what it is: type, encoding, size."""

import re
from collections.abc import Iterator

from hub.doctor.finding import Finding, advice, fault, ok, quoted
from hub.doctor.observation import Observation, Page
from hub.doctor.reading import FEED_KINDS, XML_KINDS, Kind
from hub.feeds.encoding import find_xml
from hub.feeds.records import Uncuttable

SIZE_ADVISED_BYTES = 1_000_000
COMPRESSED_FROM_BYTES = 10_000

_XML_TYPES = ("application/xml", "text/xml")
# What suits each kind of document, the best first.
_SUITABLE = {
    Kind.ATOM: ("application/atom+xml", *_XML_TYPES),
    Kind.RSS: ("application/rss+xml", *_XML_TYPES),
    Kind.RDF: ("application/rss+xml", "application/rdf+xml", *_XML_TYPES),
    Kind.UNREADABLE_FEED: ("application/rss+xml", "application/atom+xml", *_XML_TYPES),
    Kind.JSON_FEED: ("application/feed+json", "application/json"),
    Kind.HTML: ("text/html", "application/xhtml+xml"),
}
_SUBSCRIBERS_REFUSE = (
    "The hub passes the Content-Type on as it is (WebSub 7), and some subscribers refuse a feed "
    "under another one."
)
_CHARSET = re.compile(r"""charset\s*=\s*["']?([^\s"';]+)""", re.IGNORECASE)
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)["']""")


def check_content_type(seen: Page) -> Iterator[Finding]:
    """Check that the Content-Type suits the bytes."""
    kind, given = seen.reading.kind, seen.answer.header("content-type")
    media_type = given.partition(";")[0].strip().lower()
    suitable = _SUITABLE.get(kind, ())
    best = suitable[0] if suitable else "the type of the document"
    if not media_type:
        note, found = advice, "There is no Content-Type."
        why = "A hub can only pass it on as application/octet-stream, which some readers refuse."
    elif not suitable or media_type in suitable:
        yield ok("content type", f"{given}, which suits {_called(kind)}.")
        return
    else:
        found = f"This is {_called(kind)}, and comes as {quoted(given)}."
        is_near = kind in XML_KINDS and media_type.endswith("+xml") and "html" not in media_type
        note = advice if is_near else fault
        why = _SUBSCRIBERS_REFUSE if kind in FEED_KINDS else "Browsers go by it."
    yield note("content type", found, mend=f"Send Content-Type: {best}.", why=why)


def _called(kind: Kind) -> str:
    return kind.value if kind in {*FEED_KINDS, Kind.HTML} else "the document"


def check_encoding(seen: Page) -> Iterator[Finding]:
    """Check that header, declaration and bytes agree on the encoding."""
    if seen.reading.kind not in XML_KINDS:
        return
    try:
        used = find_xml(seen.answer.body, seen.answer.header("content-type")).encoding
    except Uncuttable as error:
        yield advice(
            "encoding",
            f"It names an encoding that the hub does not know ({error}).",
            mend="Use UTF-8.",
            why="Readers guess, and show wrong characters.",
        )
        return
    broken_at = _undecodable_at(seen.answer.body, used)
    if broken_at is not None:
        yield fault(
            "encoding",
            f"The document is said to be {used}, and at byte {broken_at:,} it is not.",
            mend="Write the document in UTF-8, and declare that.",
            why="Readers show wrong characters, or refuse the feed.",
        )
    else:
        yield _declarations(seen, used)


def _declarations(seen: Page, used: str) -> Finding:
    named = _CHARSET.search(seen.answer.header("content-type"))
    declared = _DECLARED.search(seen.answer.body[:300])
    header, inside = named and named[1].lower(), declared and declared[1].decode().lower()
    if header and inside and _plain(header) != _plain(inside):
        return advice(
            "encoding",
            f"The Content-Type says {header}, the document says {inside}.",
            mend="Let both say the same, best utf-8.",
            why="The header counts (RFC 7303 3), but not all readers know.",
        )
    return ok("encoding", f"It is {used}, as it says.")


def _plain(encoding: str) -> str:
    return encoding.replace("-", "").replace("_", "")


def _undecodable_at(body: bytes, encoding: str) -> int | None:
    try:
        body.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start
    return None


def check_size(seen: Observation, page: Page) -> Iterator[Finding]:
    """Check that the document is small enough to be fetched, and to be delivered."""
    size = f"{len(page.answer.body):,} bytes"
    if page.answer.is_cut:
        yield fault(
            "size",
            f"The document is longer than {seen.topic_max_bytes:,} bytes.",
            mend="Leave older entries out, or give summaries instead of whole texts.",
            why="This hub does not read on; other hubs stop earlier.",
        )
    elif len(page.answer.body) > SIZE_ADVISED_BYTES:
        yield advice(
            "size",
            f"The document is {size} long.",
            mend="Leave older entries out: 10 to 50 are usual.",
            why="Many subscribers stop reading at 1 to 3 MB, and each ping has the hub fetch it.",
        )
    else:
        yield ok("size", f"{size}.")


def check_compression(seen: Page) -> Iterator[Finding]:
    """Check that a long document is compressed on its way."""
    coding = seen.answer.header("content-encoding")
    if coding and coding.lower() != "identity":
        yield ok("compression", f"It comes compressed ({coding}).")
    elif len(seen.answer.body) >= COMPRESSED_FROM_BYTES and seen.reading.kind is not Kind.OTHER:
        yield advice(
            "compression",
            "It comes uncompressed, though we take gzip.",
            mend="Turn gzip on for this type of document in the web server.",
            why="Text shrinks to a fifth or less, for every reader that asks.",
        )


CHECKS = (check_content_type, check_encoding, check_compression)
