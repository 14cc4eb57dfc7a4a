"""Whether a feed can be read, and its entries told apart from version to version."""

from collections import Counter
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from hub.doctor.entries import EntryFacts, instant_s
from hub.doctor.finding import Finding, advice, counted, fault, ok, quoted
from hub.doctor.observation import Observation, Page
from hub.doctor.reading import FEED_KINDS, XML_KINDS, Kind
from hub.feeds.document import Opaque

ENTRIES_ADVISED = 200
ENTRY_ADVISED_BYTES = 512 * 1024
FUTURE_TOLERANCE_S = 3600

_SAME_ENTRY = "By its id a hub and every reader know whether they have seen an entry."
_NAMED_MAX = 3
_DATE_NAMES = {Kind.ATOM: "updated", Kind.RDF: "dc:date", Kind.JSON_FEED: "date_published"}


def check_format(seen: Page) -> Iterator[Finding]:
    """Check what the document is to a hub."""
    kind, document = seen.reading.kind, seen.reading.document
    if kind is Kind.JSON_FEED:
        yield ok("format", "JSON Feed; a hub delivers it whole at each change.")
    elif kind in {Kind.HTML, Kind.OTHER}:
        yield ok("format", f"This is {kind.value}; a hub delivers it whole at each change.")
    elif isinstance(document, Opaque):
        if document.reason.startswith("not well-formed"):
            return  # told by check_well_formed, with the place
        yield advice(
            "format",
            f"This is no feed that the hub can take apart: {document.reason}.",
            mend="Write it as plain RSS 2.0 or Atom 1.0.",
            why="It is delivered whole at each change, instead of the new entries alone.",
        )
    elif kind is not Kind.UNREADABLE_FEED:
        yield ok(
            "format", f"{kind.value} with {counted(len(seen.reading.entries), 'entry', 'entries')}."
        )


def check_well_formed(seen: Page) -> Iterator[Finding]:
    """Check that strict readers of XML will take it."""
    if seen.reading.kind not in XML_KINDS:
        return
    is_read = seen.reading.kind is not Kind.UNREADABLE_FEED
    for broken in seen.reading.xml_faults:
        near = f", near {quoted(broken.excerpt)}" if broken.excerpt else ""
        yield fault(
            "XML",
            f"In line {broken.line} {broken.what}{near}.",
            mend=broken.mend,
            why=("Our hub copes, but many" if is_read else "Hub and")
            + " readers refuse what is no well-formed XML.",
        )
    if is_read and not seen.reading.xml_faults:
        yield ok("XML", "It is well-formed.")


def check_length(seen: Page) -> Iterator[Finding]:
    """Check that there are neither too many entries nor very long ones."""
    entries = seen.reading.entries
    if seen.reading.kind not in FEED_KINDS - {Kind.UNREADABLE_FEED}:
        return
    if not entries and not isinstance(seen.reading.document, Opaque):
        yield ok("entries", "There are none yet.")
    if len(entries) > ENTRIES_ADVISED:
        yield advice(
            "entries",
            f"The feed has {counted(len(entries), 'entry', 'entries')}.",
            mend="Keep the newest 10 to 50.",
            why="Every fetch reads them all, and subscribers stop reading long feeds.",
        )
    long = [entry for entry in entries if entry.size_bytes > ENTRY_ADVISED_BYTES]
    if long:
        yield advice(
            "entries",
            f"{counted(len(long), 'entry is', 'entries are')} longer than "
            f"{ENTRY_ADVISED_BYTES // 1024} kB: {_names(long)}.",
            mend="Link to pictures and attachments instead of embedding them.",
            why="Many subscribers stop reading at 1 to 3 MB.",
        )


def check_ids(seen: Page) -> Iterator[Finding]:
    """Check that each entry has an id of its own that lasts."""
    entries = seen.reading.entries
    if not entries:
        return
    problems = [
        *_missing_ids(entries, seen.reading.kind),
        *_repeated_ids(entries),
        *_changing_ids(seen),
        *_false_permalinks(entries),
        *_mixed_schemes(entries),
    ]
    yield from problems or [ok("entry ids", "Each entry has one of its own.")]


def _missing_ids(entries: Sequence[EntryFacts], kind: Kind) -> Iterator[Finding]:
    without = [entry for entry in entries if not entry.id]
    if without:
        element = {Kind.RSS: "a guid", Kind.RDF: "an rdf:about"}.get(kind, "an id")
        note = advice if kind is Kind.RSS else fault
        yield note(
            "entry ids",
            f"{counted(len(without), 'entry has', 'entries have')} none: {_names(without)}.",
            mend=f"Give each entry {element} that never changes.",
            why=f"{_SAME_ENTRY} Without one they go by its link or text, which may change.",
        )


def _repeated_ids(entries: Sequence[EntryFacts]) -> Iterator[Finding]:
    times = Counter(entry.id for entry in entries if entry.id)
    repeated = [id_ for id_, count in times.items() if count > 1]
    if repeated:
        yield fault(
            "entry ids",
            f"{counted(len(repeated), 'id stands', 'ids stand')} at several entries: "
            f"{quoted(repeated[0])}.",
            mend="Give each entry an id of its own.",
            why=f"{_SAME_ENTRY} Of two with one id, readers show one.",
        )


def _changing_ids(seen: Page) -> Iterator[Finding]:
    if seen.again_reading is None:
        return
    before = {(entry.title, entry.id) for entry in seen.reading.entries}
    after = {(entry.title, entry.id) for entry in seen.again_reading.entries}
    is_same_list = {title for title, _ in before} == {title for title, _ in after}
    if before != after and is_same_list:
        yield fault(
            "entry ids",
            "At a second request the same entries had other ids.",
            mend="Give each entry an id once, and keep it.",
            why=f"{_SAME_ENTRY} So every entry is new each time.",
        )


def _false_permalinks(entries: Sequence[EntryFacts]) -> Iterator[Finding]:
    false = [
        entry.id for entry in entries if entry.is_permalink and entry.id and "://" not in entry.id
    ]
    if false:
        yield advice(
            "entry ids",
            f"The guid is no address, and is said to be one: {quoted(false[0])}.",
            mend='Write <guid isPermaLink="false">.',
            why="Readers open it as a link otherwise, and fail.",
        )


def _mixed_schemes(entries: Sequence[EntryFacts]) -> Iterator[Finding]:
    schemes: dict[str, set[str]] = {}
    for entry in entries:
        parts = urlsplit(entry.id)
        if parts.scheme in {"http", "https"}:
            schemes.setdefault(parts.netloc, set()).add(parts.scheme)
    mixed = [host for host, used in schemes.items() if len(used) > 1]
    if mixed:
        yield advice(
            "entry ids",
            f"Some ids begin with http://{mixed[0]}, others with https://{mixed[0]}.",
            mend="Leave ids as they were first published, when the site moves to https as well.",
            why=f"{_SAME_ENTRY} An id that changes with the site makes old entries new.",
        )


def check_dates(seen: Observation, page: Page) -> Iterator[Finding]:
    """Check that each entry has a date that can be true."""
    entries = page.reading.entries
    if not entries:
        return
    problems = [*_missing_dates(entries, page.reading.kind), *_odd_dates(entries, seen.now_s)]
    yield from problems or [ok("entry dates", "Each entry has one.")]


def _missing_dates(entries: Sequence[EntryFacts], kind: Kind) -> Iterator[Finding]:
    without = [entry for entry in entries if not entry.dates]
    if without:
        element = _DATE_NAMES.get(kind, "pubDate")
        note = fault if kind is Kind.ATOM else advice
        yield note(
            "entry dates",
            f"{counted(len(without), 'entry has', 'entries have')} none: {_names(without)}.",
            mend=f"Give each entry its {element}.",
            why="Atom asks for it (RFC 4287 4.1.2)."
            if kind is Kind.ATOM
            else "Readers put entries in order by it.",
        )


def _odd_dates(entries: Sequence[EntryFacts], now_s: float) -> Iterator[Finding]:
    unreadable = [date for entry in entries for date in entry.dates if instant_s(date) is None]
    if unreadable:
        yield advice(
            "entry dates",
            f"{counted(len(unreadable), 'date')} cannot be read: {quoted(unreadable[0])}.",
            mend="Write dates as 2026-01-31T12:00:00Z in Atom, as Sat, 31 Jan 2026 12:00:00 GMT "
            "in RSS.",
            why="Readers put entries in order by them.",
        )
    future = [entry for entry in entries if _latest_s(entry) > now_s + FUTURE_TOLERANCE_S]
    if future:
        yield advice(
            "entry dates",
            f"{counted(len(future), 'entry lies', 'entries lie')} in the future: {_names(future)}.",
            mend="See that the time zone is right; publish an entry when its time has come.",
            why="Readers hide it until then, or keep it at the top.",
        )


def _latest_s(entry: EntryFacts) -> float:
    return max((instant_s(date) or 0 for date in entry.dates), default=0)


def _names(entries: Sequence[EntryFacts]) -> str:
    named = [quoted(entry.name) for entry in entries[:_NAMED_MAX]]
    more = ["..."] if len(entries) > _NAMED_MAX else []
    return ", ".join(named + more)


CHECKS = (check_format, check_well_formed, check_length, check_ids)
