"""Where the XML of a document starts and how its bytes are to be read (RFC 7303, section 3)."""

import codecs
import re
from dataclasses import dataclass

from hub.feeds.records import Uncuttable

WHITE_SPACE = " \t\r\n"

_CHARSET = re.compile(r""";\s*charset\s*=\s*["']?([^\s"';]+)""", re.IGNORECASE)
_DECLARED = re.compile(rb"""<\?xml\s[^>]{0,200}?\sencoding\s*=\s*["']([^"'>]{1,40})["']""")
_BEFORE_XML = codecs.BOM_UTF8 + WHITE_SPACE.encode()

# What expat reads by itself or by a table of 256 characters. A stranger's label is looked up here
# and nowhere else: Python keeps each name that was ever asked of its codecs.
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
    **{f"iso-8859-{part}": f"iso-8859-{part}" for part in _ISO_8859_PARTS},
    **{f"iso8859-{part}": f"iso-8859-{part}" for part in _ISO_8859_PARTS},
    **{f"windows-125{digit}": f"cp125{digit}" for digit in range(9)},
    **{f"cp125{digit}": f"cp125{digit}" for digit in range(9)},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlStart:
    """The offset of a document's first `<`, and its encoding by a name expat and Python share."""

    offset: int
    encoding: str


def find_xml(body: bytes, content_type: str) -> XmlStart:
    """Return where the XML starts: real feeds have white space or a BOM before it.

    Args:
        body: the document as it came.
        content_type: its Content-Type header, or empty.

    Raises:
        Uncuttable: the body isn't XML, or in an encoding in which we can't cut.
    """
    wide = _find_utf_16(body)
    if wide is not None:
        return wide
    offset = body.find(b"<")
    before = body[: max(offset, 0)]
    if offset < 0 or before.strip(_BEFORE_XML):
        raise Uncuttable("not XML" if body.strip(_BEFORE_XML) else "empty")
    if codecs.BOM_UTF8 in before:
        return XmlStart(offset=offset, encoding="utf-8")
    return XmlStart(offset=offset, encoding=_named_encoding(body, offset, content_type))


def _find_utf_16(body: bytes) -> XmlStart | None:
    for encoding, mark in (("utf-16le", codecs.BOM_UTF16_LE), ("utf-16be", codecs.BOM_UTF16_BE)):
        text_at = len(mark) if body.startswith(mark) else 0
        opening = "<".encode(encoding)
        offset = text_at + len(leading_white_space(body[text_at:], encoding))
        if body.startswith(opening, offset):
            return XmlStart(offset=offset, encoding=encoding)
    return None


def named_encoding(content_type: str) -> str | None:
    """Return the encoding that the charset of a Content-Type names, None where it is unknown."""
    charset = _CHARSET.search(content_type)
    return _READABLE.get(charset.group(1).lower().replace("_", "-")) if charset else None


def _named_encoding(body: bytes, offset: int, content_type: str) -> str:
    """Return the encoding that the charset names, else the XML declaration, else UTF-8."""
    charset = _CHARSET.search(content_type)
    declared = _DECLARED.match(body, offset)
    labels = (
        charset and charset.group(1),
        declared and declared.group(1).decode("ascii", "replace"),
    )
    for label in filter(None, labels):
        name = label.lower().replace("_", "-")
        # The first `<` is one byte, so whoever says UTF-16 is wrong (.NET's string writers do).
        if not name.startswith("utf-16"):
            if name not in _READABLE:
                raise Uncuttable(f"encoding {name[:40]!r}")
            return _READABLE[name]
    return "utf-8"


def leading_white_space(data: bytes, encoding: str) -> bytes:
    """Return the white space with which the bytes begin."""
    return data[: _count_white(data, encoding, from_end=False)]


def trailing_white_space(data: bytes, encoding: str) -> bytes:
    """Return the white space with which the bytes end."""
    return data[len(data) - _count_white(data, encoding, from_end=True) :]


def _count_white(data: bytes, encoding: str, *, from_end: bool) -> int:
    if not encoding.startswith("utf-16"):
        blank = WHITE_SPACE.encode("ascii")
        return len(data) - len(data.rstrip(blank) if from_end else data.lstrip(blank))
    white = {character.encode(encoding) for character in WHITE_SPACE}
    steps = range(len(data) - 2, -1, -2) if from_end else range(0, len(data) - 1, 2)
    count = 0
    for index in steps:
        if data[index : index + 2] not in white:
            break
        count += 2
    return count
