"""XML as tokens: tags, CDATA, comments and instructions, found in UTF-8 without a parser.

Regular expressions, since a parser that calls Python at each tag costs several times more, and none
of them gives byte offsets and goes on where a document is broken. Each is linear: what has no end
runs to the end of the document, and no tag reaches past the next `<`. Groups are repeated within
(?>...): up to Python 3.11.4 a possessive repeat of a group loses its place where that fails
half-way.
"""

import re
from functools import lru_cache
from html.entities import html5
from typing import Final

EXCLAMATION: Final = ord("!")
QUESTION: Final = ord("?")
SLASH: Final = ord("/")
BRACKET: Final = ord("[")

_QUOTED = rb""""[^<"]*+"|'[^<']*+'"""
# Most tags have no quotes; the last form is for those whose quotes don't match.
REST_OF_TAG: Final = rb"""(?:[^<>"']*+(?:>|(?>(?:(?:%b)[^<>"']*+)+)>)|[^<>]*+>)""" % _QUOTED
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
_TEXTS_AND_TAGS = re.compile(b"(<%b)" % _TAG)
_SECTION = re.compile(b"<[!?]")
_SECTIONS = re.compile(b"<(?:%b)" % APART)
_ENDS = ((b"<!--", b"-->"), (b"<![", b"]]>"), (b"<?", b"?>"))
_INSTRUCTION_WITHOUT_END = re.compile(rb"<\?(?![^<>]*+(?<=\?)>)")
_NAME = re.compile(rb"</?([^\s/>]+)")
ATTRIBUTE: Final = re.compile(
    rb"""(?<=[\s"'])([^\s=<>"'/][^\s=<>"']*+)\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'>]++)"""
)
_REFERENCE = re.compile(rb"&(?!amp;)(#[xX]?[0-9a-fA-F]{1,7}|[A-Za-z][A-Za-z0-9]{1,31});")
# `<` and `>` that are text in a CDATA section.
_LESS, _GREATER = b"\x0e", b"\x0f"
# They, and what words and entries are set apart with; XML forbids them, broken documents may have
# them.
_MARKS = bytes(range(1, 8)) + _LESS + _GREATER
_WITHOUT_MARKS = bytes.maketrans(_MARKS, b"?" * len(_MARKS))
_CDATA_START, _CDATA_END = len("<![CDATA["), -len("]]>")
# The most frequent, all at once.
_NAMED = ((b"&lt;", b"<"), (b"&gt;", b">"), (b"&quot;", b'"'))


def name_of(tag: bytes) -> bytes:
    """Return the name in a start or end tag, as written."""
    found = _NAME.match(tag)
    return found[1] if found else b""


def is_empty(tag: bytes) -> bool:
    """Return whether a start tag is its own end."""
    return tag[-2] == SLASH


def is_cut_off(token: bytes) -> bool:
    """Return whether a token runs to the end of the document for want of its own end."""
    if token[1] not in {EXCLAMATION, QUESTION}:
        return False
    ends = (end for start, end in _ENDS if token.startswith(start))
    return not token.endswith(next(ends, b">"))


def tamed(data: bytes, root: bytes) -> bytes:
    """Return data of the same length in which no comment, CDATA or instruction lacks its end.

    What lacks one is text from there on, so that what follows is not lost; an instruction also
    where a tag begins or ends before. Behind the end tag of the root, so named, nothing is lost;
    where it has none, the document was cut off there.
    """
    last = data.rfind(b"</" + root)
    for start, end in _ENDS[:2]:
        behind = data.rfind(end) + 1
        if 0 <= data.find(start, behind) < last:
            inside = data[behind:last].replace(start, b" " + start[1:])
            data = data[:behind] + inside + data[last:]
    return _INSTRUCTION_WITHOUT_END.sub(b" ?", data)


@lru_cache(maxsize=64)
def boundaries(name: bytes, outer: bytes) -> re.Pattern[bytes]:
    """Return what finds the tags of that name, the end of the element around, and what hides them.

    A stranger's names are few: those of entries and channels, behind any prefix.
    """
    return re.compile(
        rb"<(?:(?P<end>/%(name)b\s*+>)|(?P<start>%(name)b(?=[\s/>])%(rest)b)"
        rb"|(?P<outer>/%(outer)b\s*+>)|%(apart)b)"
        % {
            b"name": re.escape(name),
            b"outer": re.escape(outer),
            b"rest": REST_OF_TAG,
            b"apart": APART,
        }
    )


def value_of(written: bytes) -> bytes:
    """Return an attribute's value without its quotes."""
    return written[1:-1] if written[0] in b"\"'" else written


def attributes(tag: bytes) -> dict[str, str]:
    """Return the attributes of a start tag, names as written, references resolved."""
    if b"=" not in tag:
        return {}
    return {
        _text(name): " ".join(_text(_dereferenced(value_of(value))).splitlines())
        for name, value in ATTRIBUTE.findall(tag)
    }


def without_marks(data: bytes) -> bytes:
    """Return data of the same length without the characters that set words apart."""
    return data.translate(_WITHOUT_MARKS)


def texts_and_tags(written: bytes, *, is_well_formed: bool) -> list[bytes]:
    """Return texts and tags by turns; CDATA is text, comments and instructions are nothing.

    What CDATA hides is hidden until it is resolved.
    """
    if _SECTION.search(written):
        written = _SECTIONS.sub(_as_text, written)
    if is_well_formed and written.count(b"<") == written.count(b">"):
        # So each pair is a tag, and it takes a third of the time.
        return written.replace(b"<", b"\0<").replace(b">", b">\0").split(b"\0")
    return _TEXTS_AND_TAGS.split(written)


def _as_text(section: re.Match[bytes]) -> bytes:
    token = section[0]
    if token[1] == QUESTION or token[2] != BRACKET:
        return b""
    content = token[_CDATA_START:_CDATA_END]
    return content.replace(b"&", b"&amp;").replace(b"<", _LESS).replace(b">", _GREATER)


def resolved(text: bytes) -> bytes:
    """Return a text with its references replaced, and shown what CDATA hid."""
    return _dereferenced(text).replace(_LESS, b"<").replace(_GREATER, b">")


def _dereferenced(text: bytes) -> bytes:
    """Return a text with its references replaced: XML's own, numbers, and those of HTML.

    What only the document itself declares stays as written, so nothing can grow.
    """
    if b"&" not in text:
        return text
    for written, character in _NAMED:
        text = text.replace(written, character)
    return _REFERENCE.sub(_character, text).replace(b"&amp;", b"&") if b"&" in text else text


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
