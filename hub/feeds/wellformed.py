"""Whether a document is well-formed XML: expat judges, and nothing is ever expanded."""

from dataclasses import dataclass
from xml.parsers import expat

PIECE_BYTES = 512 * 1024
BROKEN = "not well-formed: "


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlError:
    """The first error of a document: in expat's words, in which line, and at which byte."""

    told: str
    line: int
    at: int


class _HasDeclarations(Exception):
    """Entities and default attributes are how a small document becomes a big one."""


def find_error(data: bytes, start: int, *, has_namespaces: bool) -> XmlError | None:
    """Return the first error; None also where a DTD of its own comes before one.

    Args:
        data: the document in UTF-8, or nearly.
        start: offset of its first `<`.
        has_namespaces: whether an undeclared prefix is an error.
    """
    parser = expat.ParserCreate("utf-8", " " if has_namespaces else None)
    parser.StartDoctypeDeclHandler = _refuse_declarations
    view = memoryview(data)
    try:
        # In pieces, since expat keeps all other threads waiting.
        for at in range(start, len(data), PIECE_BYTES):
            parser.Parse(view[at : at + PIECE_BYTES], False)
        parser.Parse(b"", True)
    except _HasDeclarations:
        return None
    except expat.ExpatError as error:
        return XmlError(
            told=expat.ErrorString(error.code),
            line=error.lineno + data.count(b"\n", 0, start),
            at=start + parser.ErrorByteIndex,
        )
    return None


def fault_of(data: bytes, start: int) -> str | None:
    """Return why a document is not well-formed, but for undeclared prefixes; None where it is."""
    error = find_error(data, start, has_namespaces=False)
    return f"{BROKEN}{error.told} (line {error.line})" if error else None


def _refuse_declarations(
    _name: str, _system: str | None, _public: str | None, has_declarations: int
) -> None:
    if has_declarations:
        raise _HasDeclarations
