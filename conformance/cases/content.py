"""What is delivered: type and body (WebSub 7): DIS-03 to DIS-05."""

from xml.etree import ElementTree

from conformance.case import Need, case
from conformance.feeds import ATOM, ENTRY_TAGS, atom, entry_ids, rss
from conformance.judge import equal, require
from conformance.publisher import Content
from conformance.stage import Stage
from conformance.verdict import Mismatch, Passed

MIB = 2**20
XML = '<?xml version="1.0" encoding="{}"?>\n<note>caf\u00e9 {}</note>\n'
LATIN_RSS = "application/rss+xml; charset=iso-8859-1"

# Content-Type, and two versions of a body of that type.
TYPES: dict[str, tuple[str, bytes, bytes]] = {
    "html": ("text/html; charset=UTF-8", b"<p>one</p>", b"<p>two</p>"),
    "atom": ("application/atom+xml", atom("one"), atom("one", "two")),
    "rss-charset": (
        LATIN_RSS,
        rss("one", encoding="iso-8859-1"),
        rss("two", encoding="iso-8859-1"),
    ),
    "text-xml": ("text/xml", XML.format("utf-8", 1).encode(), XML.format("utf-8", 2).encode()),
    "json": ("application/json", b'{"a": 1}', b'{"a": 2}'),
    "feed-json": (
        "application/feed+json",
        b'{"version": "https://jsonfeed.org/version/1.1", "title": "t", "items": []}',
        b'{"version": "https://jsonfeed.org/version/1.1", "title": "t", '
        b'"items": [{"id": "1", "content_text": "one"}]}',
    ),
    "text": ("text/plain", b"one", b"two"),
    "png": ("image/png", b"\x89PNG\r\n\x1a\n1", b"\x89PNG\r\n\x1a\n2"),
    "parameter": ('application/ld+json; profile="x"', b'{"a": 1}', b'{"a": 2}'),
}
# Content-Type and the body that has to arrive.
BODIES: dict[str, tuple[str, str, bytes]] = {
    "binary": ("1 MiB of all bytes", "application/octet-stream", bytes(range(256)) * (MIB // 256)),
    "one-byte": ("a single byte", "application/octet-stream", b"x"),
    "utf-16": (
        "XML in UTF-16",
        "application/xml",
        XML.format("utf-16", 2).encode("utf-16"),
    ),
    "bom": ("a byte order mark", "text/plain; charset=utf-8", b"\xef\xbb\xbfcaf\xc3\xa9\n"),
    "crlf": ("lines that end in CRLF", "text/plain", b"one\r\n\r\ntwo\rthree\n\n"),
    "latin-1": ("letters in ISO 8859-1", "text/plain; charset=iso-8859-1", b"caf\xe9 cr\xe8me\n"),
}


def _type_case(name: str, kind: str, before: bytes, after: bytes) -> None:
    @case(f"DIS-03.{name}", f"Content-Type {kind} arrives as it is", Need.PING)
    async def content_type(stage: Stage) -> None:
        topic = stage.topic(content=Content(body=before, content_type=kind))
        callback = stage.callback()
        await stage.subscribe(topic, callback)
        await stage.publish(topic, after)
        delivery = await stage.delivery(callback)
        equal("Content-Type", delivery.header("Content-Type"), kind, delivery)


for _name, (_kind, _before, _after) in TYPES.items():
    _type_case(_name, _kind, _before, _after)


def _body_case(name: str, title: str, kind: str, body: bytes) -> None:
    @case(f"DIS-04.{name}", f"The whole content arrives unchanged: {title}", Need.PING)
    async def whole_content(stage: Stage) -> None:
        topic = stage.topic(content=Content(body=b"before", content_type=kind))
        callback = stage.callback()
        await stage.subscribe(topic, callback)
        await stage.publish(topic, body)
        delivery = await stage.delivery(callback, after=b"before")
        require(delivery.body == body, _described(body), _described(delivery.body), delivery)


for _name, (_title, _kind, _body) in BODIES.items():
    _body_case(_name, _title, _kind, _body)


@case("DIS-05.atom", "Of an Atom feed at least what is new arrives, and nothing foreign", Need.PING)
async def atom_feed(stage: Stage) -> Passed:
    return await _feed(stage, "application/atom+xml", atom("one", "two"), atom("new", "one", "two"))


@case("DIS-05.rss", "Of an RSS feed at least what is new arrives, and nothing foreign", Need.PING)
async def rss_feed(stage: Stage) -> Passed:
    return await _feed(stage, "application/rss+xml", rss("one", "two"), rss("new", "one", "two"))


async def _feed(stage: Stage, kind: str, before: bytes, after: bytes) -> Passed:
    topic = stage.topic(content=Content(body=before, content_type=kind))
    callback = stage.callback()
    await stage.subscribe(topic, callback)
    await stage.publish(topic, after)
    delivery = await stage.delivery(callback, after=before)
    if delivery.body == after:
        return Passed(note="delivers the whole feed")
    try:
        came, served = ElementTree.fromstring(delivery.body), ElementTree.fromstring(after)
    except ElementTree.ParseError as error:
        raise Mismatch("a well-formed feed", str(error), delivery) from error
    equal("root element", came.tag, served.tag, delivery)
    equal("feed's own elements", _envelope(came), _envelope(served), delivery)
    ids = entry_ids(came)
    require("new" in ids, "the new entry", f"entries {ids}", delivery)
    require(set(ids) <= set(entry_ids(served)), "no foreign entry", f"entries {ids}", delivery)
    return Passed(note="delivers only what is new" if ids == ["new"] else "leaves out entries")


def _envelope(feed: ElementTree.Element) -> list[tuple[str, str]]:
    inner = feed if feed.tag.startswith(ATOM) else feed[0]
    return [(e.tag, (e.text or "").strip()) for e in inner if e.tag not in ENTRY_TAGS]


def _described(body: bytes) -> str:
    start = repr(body[:40])[1:]
    return f"{len(body)} bytes, {start}{'...' if len(body) > 40 else ''}"
