"""What a prefix means where it stands: namespaces resolved by us, so that expat gives offsets.

An undeclared prefix is no error here: publishers forget declarations, readers manage.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b

from hub.feeds.records import Uncuttable

# A scope copies its parent's prefixes: the bound keeps hostile documents from making that slow.
MAX_PREFIXES = 128
# A name of a few bytes is taken for one with its namespace: longer ones go by a digest. None that
# means anything to us is as long.
MAX_URI_BYTES = 64

_XML = "{http://www.w3.org/XML/1998/namespace}"


def is_declaration(attribute: str) -> bool:
    """Return whether an attribute, named as written, declares a namespace."""
    return attribute == "xmlns" or attribute.startswith("xmlns:")


def local_name(expanded: str) -> str:
    """Return an expanded name less its namespace or undeclared prefix."""
    return expanded.rpartition("}")[2].rpartition(":")[2]


class Scope:
    """The namespace declarations in force at one place of a document."""

    __slots__ = ("_prefixes",)

    def __init__(self, prefixes: Mapping[str, str] | None = None) -> None:
        self._prefixes = {"xml": _XML} if prefixes is None else prefixes

    def inside(self, attributes: Mapping[str, str]) -> "Scope":
        """Return the scope inside an element: this very one where it declares nothing.

        Raises:
            Uncuttable: more prefixes than any feed has.
        """
        if not attributes:
            return self
        declared = {
            name[6:]: _expanded(uri) for name, uri in attributes.items() if is_declaration(name)
        }
        if not declared:
            return self
        prefixes = {**self._prefixes, **declared}
        if len(prefixes) > MAX_PREFIXES:
            raise Uncuttable(f"more than {MAX_PREFIXES} namespace prefixes")
        return Scope(prefixes)

    def element(self, name: str) -> str:
        """Return an element's expanded name; the name as written where its prefix is undeclared."""
        prefix, _, local = name.rpartition(":")
        uri = self._prefixes.get(prefix)
        return f"{uri}{local}" if uri else name

    def attribute(self, name: str) -> str:
        """Return an attribute's expanded name: without a prefix it has no namespace."""
        return self.element(name) if ":" in name else name


def _expanded(uri: str) -> str:
    if not uri:
        return ""
    written = uri.encode()
    if len(written) > MAX_URI_BYTES:
        uri = blake2b(written, digest_size=16).hexdigest()
    return f"{{{uri}}}"


def inherited(attributes: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Return those attributes, as written, that mean something to the elements inside."""
    return (
        (name, value)
        for name, value in attributes.items()
        if is_declaration(name) or name.startswith("xml:")
    )
