"""Where a document breaks the rules of XML that strict readers keep to."""

from dataclasses import dataclass
from xml.parsers import expat

from hub.feeds.encoding import Source, read_source
from hub.feeds.records import Uncuttable
from hub.feeds.wellformed import find_error

_SHOWN_CHARACTERS = 70
_ERRORS = expat.errors
# What is wrong, and what to do: for those that feeds are known to make.
_PLAIN = {
    _ERRORS.XML_ERROR_UNDEFINED_ENTITY: (
        "there is an HTML entity that XML does not know",
        "Write the character itself, or its number (&#160; instead of &nbsp;).",
    ),
    _ERRORS.XML_ERROR_UNBOUND_PREFIX: (
        "there is a prefix that no xmlns declares",
        'Declare it in the first element: xmlns:PREFIX="...".',
    ),
    _ERRORS.XML_ERROR_INVALID_TOKEN: (
        "there is a character that may not stand there",
        "Escape & and < in texts (&amp;, &lt;), and leave control characters out.",
    ),
    _ERRORS.XML_ERROR_TAG_MISMATCH: (
        "a tag is closed that was not the last to be opened",
        "Close every tag, and escape HTML in texts or put it into CDATA.",
    ),
    _ERRORS.XML_ERROR_NO_ELEMENTS: (
        "the document ends too early",
        "See whether the program that makes it stops halfway.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlFault:
    """A fault: what it is, as a clause, the text there, and what to do in a sentence."""

    line: int
    what: str
    excerpt: str
    mend: str


def xml_faults(body: bytes, content_type: str) -> tuple[XmlFault, ...]:
    """Return what stands before `<?xml`, and the first fault behind it; less what we cannot tell.

    Args:
        body: the document from its very first byte.
        content_type: its header, of which only the charset counts, or empty.
    """
    try:
        source = read_source(body, content_type)
    except Uncuttable:
        return ()
    faults = (_before(source), _within(source))
    return tuple(found for found in faults if found is not None)


def _before(source: Source) -> XmlFault | None:
    before = source.data[: source.start].decode("utf-8", "replace").lstrip("\ufeff")
    if not before or not source.data.startswith(b"<?xml", source.start):
        return None
    return XmlFault(
        line=1,
        what="there is white space before <?xml",
        excerpt="",
        mend="Let the document begin with <?xml; often a plug-in or template prints an empty line.",
    )


def _within(source: Source) -> XmlFault | None:
    error = find_error(source.data, source.start, has_namespaces=True)
    if error is None:
        return None
    what, mend = _PLAIN.get(error.told, (error.told, "Mend it where the document is made."))
    return XmlFault(line=error.line, what=what, excerpt=_excerpt(source.data, error.at), mend=mend)


def _excerpt(data: bytes, at: int) -> str:
    start = max(at - _SHOWN_CHARACTERS // 2, 0)
    return " ".join(data[start : start + _SHOWN_CHARACTERS].decode("utf-8", "replace").split())
