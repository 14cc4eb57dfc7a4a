"""XML as tokens: tags, CDATA, comments and instructions, found in UTF-8 without a parser.

Regular expressions, since a parser that calls Python at each tag costs several times more, and none
of them gives byte offsets and goes on where a document is broken. Each is linear: what has no end
runs to the end of the document, and no tag reaches past the next `<`. Groups are repeated within
(?>...): up to Python 3.11.4 a possessive repeat of a group loses its place where that fails
half-way.
"""

import re
from html.entities import html5
from typing import Final

EXCLAMATION: Final = ord("!")
QUESTION: Final = ord("?")
SLASH: Final = ord("/")
BRACKET: Final = ord("[")

_QUOTED = rb""""[^<"]*+"|'[^<']*+'"""
# The second form is for tags whose quotes don't match.
REST_OF_TAG: Final = rb"""(?:[^<>"']*+(?>(?:(?:%b)[^<>"']*+)*)>|[^<>]*+>)""" % _QUOTED
_TAG = rb"/?[A-Za-z_:\x80-\xff]" + REST_OF_TAG
_CDATA = rb"!\[CDATA\[[^\]]*+(?>(?:\](?!\]>)[^\]]*+)*)(?:\]\]>|\Z)"
_COMMENT = rb"!--[^-]*+(?>(?:-(?!->)[^-]*+)*)(?:-->|\Z)"
_INSTRUCTION = rb"\?[^?]*+(?>(?:\?(?!>)[^?]*+)*)(?:\?>|\Z)"
APART: Final = b"|".join((_CDATA, _COMMENT, _INSTRUCTION))
_ANY_QUOTED = rb""""[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)"""
_SUBSET = rb"""\[(?>(?:[^\]"'<]++|%b|<(?:%b|%b)|<)*)(?:\]\s*+|\Z)""" % (
    _ANY_QUOTED,
    _COMMENT,
    _INSTRUCTION,
)
_DOCTYPE = rb"""!DOCTYPE[^<>\["']*+(?>(?:(?:%b)[^<>\["']*+)*)(?>(?:%b)?)(?:>|\Z)""" % (
    _ANY_QUOTED,
    _SUBSET,
)

TOKEN: Final = re.compile(b"<(?:%b|%b|%b)" % (_TAG, APART, _DOCTYPE))
# Splits into texts and tokens by turns.
TEXTS_AND_TOKENS: Final = re.compile(b"(<(?:%b|%b))" % (_TAG, APART))
_ENDS = ((b"<!--", b"-->"), (b"<![", b"]]>"), (b"<?", b"?>"))
_NAME = re.compile(rb"</?([^\s/>]+)")
ATTRIBUTE: Final = re.compile(
    rb"""(?<=[\s"'])([^\s=<>"'/][^\s=<>"']*+)\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'>]++)"""
)
_REFERENCE = re.compile(rb"&(?!amp;)(#[xX]?[0-9a-fA-F]{1,7}|[A-Za-z][A-Za-z0-9]{1,31});")
# What the words of an entry are set apart with; XML forbids them, broken documents may have them.
_MARKS = bytes(range(1, 7))
_WITHOUT_MARKS = bytes.maketrans(_MARKS, b"?" * len(_MARKS))
_NAMED = ((b"&lt;", b"<"), (b"&gt;", b">"), (b"&quot;", b'"'), (b"&apos;", b"'"))


def name_of(tag: bytes) -> bytes:
    """Return the name in a start or end tag, as written."""
    found = _NAME.match(tag)
    return found[1] if found else b""


def is_empty(tag: bytes) -> bool:
    """Return whether a start tag is its own end."""
    return tag[-2] == SLASH


def is_cut_off(token: bytes) -> bool:
    """Return whether a token runs to the end of the document for want of its own end."""
    ends = (end for start, end in _ENDS if token.startswith(start))
    return not token.endswith(next(ends, b">"))


def value_of(written: bytes) -> bytes:
    """Return an attribute's value without its quotes."""
    return written[1:-1] if written[0] in b"\"'" else written


def attributes(tag: bytes) -> dict[str, str]:
    """Return the attributes of a start tag, names as written, references resolved."""
    if b"=" not in tag:
        return {}
    return {
        _text(name): " ".join(_text(resolved(value_of(value))).splitlines())
        for name, value in ATTRIBUTE.findall(tag)
    }


def without_marks(data: bytes) -> bytes:
    """Return data of the same length without the characters that set words apart."""
    return data.translate(_WITHOUT_MARKS)


def resolved(text: bytes) -> bytes:
    """Return a text with its references replaced: XML's own, numbers, and those of HTML.

    What only the document itself declares stays as written, so nothing can grow.
    """
    if b"&" not in text:
        return text
    for written, character in _NAMED:
        text = text.replace(written, character)
    return _REFERENCE.sub(_character, text).replace(b"&amp;", b"&")


def _character(reference: re.Match[bytes]) -> bytes:
    name = reference[1].decode("ascii")
    if not name.startswith("#"):
        named = html5.get(f"{name};", "")
        return named.encode() if named not in {"", "&"} else reference[0]
    name = name[1:]
    try:
        code = int(f"0{name}", 16) if name[0] in "xX" else int(name)
        character = chr(code).encode()
    except (ValueError, OverflowError):
        return reference[0]
    if code == ord("&"):
        return b"&amp;"
    # XML forbids the others, and we set our marks with them.
    return character if code >= ord(" ") else b" "


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
