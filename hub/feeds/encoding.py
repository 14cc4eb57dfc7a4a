"""Where the XML of a document starts and how its bytes are to be read (RFC 7303, section 3).

Everything is read as UTF-8: other documents are transcoded, and offsets into the UTF-8 are led back
to the bytes as published by encoding the pieces between them again.
"""

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass

from hub.feeds.records import Uncuttable

WHITE_SPACE = " \t\r\n"

_CHARSET = re.compile(r""";\s*charset\s*=\s*["']?([^\s"';]+)""", re.IGNORECASE)
_DECLARED = re.compile(rb"""<\?xml\s[^>]{0,200}?\sencoding\s*=\s*["']([^"'>]{1,40})["']""")
_BEGINNING = re.compile(rb"<[?!]")
_FEED = re.compile(rb"<\?xml\s|<(?:[\w.-]{1,40}:)?(?:rss|RSS|feed|RDF)[\s>]")
_WARNINGS_MAX_BYTES = 4096
_BEFORE_XML = codecs.BOM_UTF8 + WHITE_SPACE.encode()

# A stranger's label is looked up here and nowhere else: Python keeps each name that was ever asked
# of its codecs. UTF-7 is left out: in it, what is no markup to one reader is markup to another.
_ISO_8859_PARTS = (*range(1, 12), *range(13, 17))
_READABLE = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "us-ascii",
    "ascii": "us-ascii",
    "latin1": "iso-8859-1",
    "latin-1": "iso-8859-1",
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "macintosh": "mac-roman",
    "ibm866": "cp866",
    "cp866": "cp866",
    "tis-620": "tis-620",
    "windows-874": "cp874",
    "shift-jis": "shift_jis",
    "sjis": "shift_jis",
    "x-sjis": "shift_jis",
    "windows-31j": "cp932",
    "cp932": "cp932",
    "euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "big5": "big5",
    "big5-hkscs": "big5hkscs",
    "euc-kr": "cp949",
    "ks-c-5601-1987": "cp949",
    **{f"iso-8859-{part}": f"iso-8859-{part}" for part in _ISO_8859_PARTS},
    **{f"iso8859-{part}": f"iso-8859-{part}" for part in _ISO_8859_PARTS},
    **{f"windows-125{digit}": f"cp125{digit}" for digit in range(9)},
    **{f"cp125{digit}": f"cp125{digit}" for digit in range(9)},
}


# In these, no byte below 0x80 is ever part of markup but as itself, and ASCII is ASCII.
_NOT_LIKE_ASCII = frozenset({"iso2022_jp"})
_WIDTHS = {"utf-16le": 2, "utf-16be": 2, "utf-32le": 4, "utf-32be": 4}
# The longer mark first, since the shorter one begins it.
_WIDE = (
    ("utf-32le", codecs.BOM_UTF32_LE),
    ("utf-32be", codecs.BOM_UTF32_BE),
    ("utf-16le", codecs.BOM_UTF16_LE),
    ("utf-16be", codecs.BOM_UTF16_BE),
)
_CHUNK_BYTES = 64 * 1024
# Of so many characters beyond ASCII one may be damaged.
_INTACT_PER_DAMAGED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlStart:
    """The offset of a document's first `<`, and its encoding by its name in Python."""

    offset: int
    encoding: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A document as UTF-8.

    Attributes:
        body: the bytes as published.
        data: the same in UTF-8; the body itself where it is that, or nearly.
        start: offset of the first `<` in the data.
        encoding: of the body.
    """

    body: bytes
    data: bytes
    start: int
    encoding: str


def find_xml(body: bytes, content_type: str) -> XmlStart:
    """Return where the XML starts: real feeds have white space or a BOM before it.

    Args:
        body: the document as it came.
        content_type: its Content-Type header, or empty.

    Raises:
        Uncuttable: the body isn't XML, or names only encodings that we don't know.
    """
    start = _find(body, content_type)
    labels = _labels(body, start.offset, content_type)
    if labels and start.encoding == "utf-8" and not any(map(_READABLE.get, labels)):
        raise Uncuttable(f"encoding {labels[0][:40]!r}")
    return start


def _find(body: bytes, content_type: str) -> XmlStart:
    wide = _find_wide(body)
    if wide is not None:
        return wide
    offset = _find_text(body)
    before = body[:offset]
    if codecs.BOM_UTF8 in before:
        return XmlStart(offset=offset, encoding="utf-8")
    names = _named_encodings(body, offset, content_type)
    return XmlStart(offset=offset, encoding=names[0] if names else "utf-8")


def read_source(body: bytes, content_type: str) -> Source:
    """Return the document as UTF-8; what isn't valid in its encoding is passed through.

    UTF-8 comes before what charset and declaration say: hardly any text in another encoding looks
    like it by chance, and wrong labels are common. Otherwise the first label counts, however wrong,
    since an entry must be the same to us whatever else stands in the document.

    Raises:
        Uncuttable: the body isn't XML, or its bytes cannot be led back from UTF-8.
    """
    xml = _find(body, content_type)
    is_marked = xml.encoding in _WIDTHS or codecs.BOM_UTF8 in body[: xml.offset]
    if xml.encoding == "utf-8" or (not is_marked and not body.isascii() and _is_utf_8(body)):
        return Source(body=body, data=body, start=xml.offset, encoding="utf-8")
    data = _as_utf_8(body, xml.encoding)
    if data is None:
        raise Uncuttable(f"not in {xml.encoding}, as it says")
    return Source(body=body, data=data, start=data.index(b"<"), encoding=xml.encoding)


def offsets_in_body(source: Source, offsets: Iterable[int]) -> dict[int, int]:
    """Return offsets into the body by offsets into the UTF-8.

    Args:
        source: the document.
        offsets: of characters that start there, in any order.
    """
    if source.data is source.body:
        return {offset: offset for offset in offsets}
    found = {}
    here = in_body = 0
    for offset in sorted(set(offsets)):
        text = source.data[here:offset].decode("utf-8", "surrogatepass")
        in_body += len(text.encode(source.encoding, _lossless(source.encoding)))
        here = offset
        found[offset] = in_body
    return found


def _lossless(encoding: str) -> str:
    """Return the error handler that carries invalid bytes through and back."""
    return "surrogatepass" if encoding in _WIDTHS else "surrogateescape"


def _as_utf_8(body: bytes, encoding: str) -> bytes | None:
    """Return the body in UTF-8; None where that would not come back.

    Tags are ASCII, so what comes back as a whole comes back in pieces cut at tags.
    """
    if encoding not in _WIDTHS and encoding not in _NOT_LIKE_ASCII and body.isascii():
        return body
    errors = _lossless(encoding)
    try:
        text = body.decode(encoding, errors)
        is_same = text.encode(encoding, errors) == body
    except UnicodeError:
        return None
    return text.encode("utf-8", "surrogatepass") if is_same else None


def _is_utf_8(body: bytes) -> bool:
    """Return whether a body that isn't ASCII is UTF-8, but perhaps for a few damaged characters."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    damaged = intact = 0
    # By chunks, since as a string the whole can take four times its bytes.
    for at in range(0, len(body), _CHUNK_BYTES):
        text = decoder.decode(body[at : at + _CHUNK_BYTES])
        if text.isascii():
            continue
        damaged += text.count("\ufffd")
        intact += len(text) - len(text.encode("ascii", "ignore"))
    return intact > damaged * _INTACT_PER_DAMAGED


def _find_text(body: bytes) -> int:
    """Return the offset of the first `<`; a program's warnings may stand before that of a feed."""
    offset = body.find(b"<")
    is_first = offset >= 0 and not body[:offset].strip(_BEFORE_XML)
    if is_first and _BEGINNING.match(body, offset):
        return offset
    feed = _FEED.search(body, 0, _WARNINGS_MAX_BYTES)
    if feed:
        return feed.start()
    if not is_first:
        raise Uncuttable("not XML" if body.strip(_BEFORE_XML) else "empty")
    return offset


def _find_wide(body: bytes) -> XmlStart | None:
    for encoding, mark in _WIDE:
        text_at = 0
        while body.startswith(mark, text_at):
            text_at += len(mark)
        opening, width = "<".encode(encoding), _WIDTHS[encoding]
        offset = text_at + len(leading_white_space(body[text_at:], encoding))
        # Without a mark the next character tells: a NUL may stand before a `<` of one byte.
        following = body[offset + width : offset + 2 * width]
        is_wide = text_at > 0 or (b"\0" in following and following.strip(b"\0").isascii())
        if body.startswith(opening, offset) and is_wide:
            return XmlStart(offset=offset, encoding=encoding)
    return None


def named_encoding(content_type: str) -> str | None:
    """Return the encoding that the charset of a Content-Type names, None where it is unknown."""
    charset = _CHARSET.search(content_type)
    return _READABLE.get(_plain(charset.group(1))) if charset else None


def _plain(label: str) -> str:
    return label.lower().replace("_", "-")


def _labels(body: bytes, offset: int, content_type: str) -> list[str]:
    """Return what charset and XML declaration call the encoding."""
    charset = _CHARSET.search(content_type)
    declared = _DECLARED.match(body, offset)
    labels = [
        charset[1] if charset else "",
        declared[1].decode("ascii", "replace") if declared else "",
    ]
    # Who says UTF-16 where the first `<` is one byte is wrong (.NET's string writers do).
    return [_plain(label) for label in labels if label and not _plain(label).startswith("utf-16")]


def _named_encodings(body: bytes, offset: int, content_type: str) -> list[str]:
    """Return those of the encodings named that we know."""
    labels = _labels(body, offset, content_type)
    return [_READABLE[label] for label in labels if label in _READABLE]


def has_text_before(source: Source) -> bool:
    """Return whether something other than white space and a BOM stands before the XML."""
    return bool(source.data[: source.start].strip(_BEFORE_XML))


def leading_white_space(data: bytes, encoding: str) -> bytes:
    """Return the white space with which the bytes begin."""
    return data[: _count_white(data, encoding, from_end=False)]


def trailing_white_space(data: bytes, encoding: str) -> bytes:
    """Return the white space with which the bytes end."""
    return data[len(data) - _count_white(data, encoding, from_end=True) :]


def _count_white(data: bytes, encoding: str, *, from_end: bool) -> int:
    width = _WIDTHS.get(encoding, 1)
    if width == 1:
        blank = WHITE_SPACE.encode("ascii")
        return len(data) - len(data.rstrip(blank) if from_end else data.lstrip(blank))
    white = {character.encode(encoding) for character in WHITE_SPACE}
    whole = len(data) - len(data) % width
    steps = range(whole - width, -1, -width) if from_end else range(0, whole, width)
    count = 0
    for index in steps:
        if data[index : index + width] not in white:
            break
        count += width
    return count
