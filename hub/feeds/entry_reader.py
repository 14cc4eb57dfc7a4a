"""What an entry says to a reader, and by what it is known: gathered while expat passes over it.

The handlers run for every tag of a document, so they only append to a list. Joined, that list is
the entry in a form that is equal for what looks equal: expanded names, attributes in order, text
with white space collapsed, nothing that the vocabulary calls silent. Characters that XML forbids
in text set its parts apart, so no text can imitate markup.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from hub.feeds.namespaces import Scope, is_declaration
from hub.feeds.records import Uncuttable
from hub.feeds.vocabulary import ATOM_LINK, SILENT_ATTRIBUTES, Role, Vocabulary

DIGEST_BYTES: Final = 16
MAX_DEPTH: Final = 256
# A name that was met costs 20 times its bytes: feeds have a few dozen.
MAX_NAMES: Final = 4096

_ELEMENT = " \x01"
_ATTRIBUTE = " \x02"
_ATTRIBUTES_END = " \x03 "
_ELEMENT_END = " \x04 "
_TO_SPACES = bytes.maketrans(b"\t\r\n", b"   ")
# Names of their own, since the handlers would pay for the look-up in the enum each time.
_LINK = Role.LINK
_SILENT = Role.SILENT
_SPACES = re.compile(rb"  +")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An entry as found, before those of equal names are told apart; a text it lacks is empty."""

    start: int
    end: int
    fingerprint: bytes
    id: str
    link: str
    title: str


class _Frame:
    """A scope, the depth of the element that opened it, and what names came to mean in it."""

    __slots__ = ("attributes", "depth", "roles", "scope", "tokens")

    def __init__(self, scope: Scope, depth: int) -> None:
        self.scope = scope
        self.depth = depth
        self.tokens: dict[str, str] = {}
        self.attributes: dict[str, str] = {}
        self.roles: dict[str, Role] = {}


class EntryReader:
    """Expat handlers for the inside of entries, one entry after another."""

    def __init__(self, vocabulary: Vocabulary, at_end: Callable[[], None]) -> None:
        self._vocabulary = vocabulary
        self._at_end = at_end
        self._frames = [_Frame(Scope(), 0)]
        self._parts: list[str] = []
        self._marks: list[int] = []
        self._found: dict[Role, str] = {}
        self._depth = 0
        self.text = self._parts.append

    def open(self, name: str, attributes: dict[str, str], scope: Scope) -> None:
        """Start with a new entry at its start tag; the scope is that of the element around it."""
        if self._frames[0].scope is not scope:
            self._frames = [_Frame(scope, 0)]
        self._use_frame(self._frames[0])
        self._parts.clear()
        self._found.clear()
        inner = scope.inside(attributes)
        for key, value in attributes.items():
            if inner.attribute(key) in self._vocabulary.id_attributes:
                self._found[Role.ID] = _collapse(value)
        self.start(name, attributes)

    def close(self, *, start: int, end: int) -> Draft:
        """Return what was read since `open`; the offsets are those of the entry."""
        # Several times faster than split and join, which make a string of each word.
        shown = _SPACES.sub(b" ", "".join(self._parts).encode().translate(_TO_SPACES))
        return Draft(
            start=start,
            end=end,
            fingerprint=blake2b(shown, digest_size=DIGEST_BYTES).digest(),
            id=self._found.get(Role.ID, ""),
            link=self._found.get(Role.LINK, ""),
            title=self._found.get(Role.TITLE, ""),
        )

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take in a start tag."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Uncuttable(f"elements nested deeper than {MAX_DEPTH}")
        shown = self._show(attributes) if attributes else ""
        token = self._tokens.get(name) or self._learn(name)
        role = self._roles.get(name)
        if role is not None:
            self._marks.append(len(self._parts))
            if attributes and role is _LINK and self._depth == 2:
                self._note_href(name, attributes)
        self._parts.append(token + shown)

    def end(self, name: str) -> None:
        """Take in an end tag."""
        self._parts.append(_ELEMENT_END)
        role = self._roles.get(name)
        if role is not None:
            mark = self._marks.pop()
            if role is _SILENT:
                del self._parts[mark:]
            elif self._depth == 2 and role not in self._found:
                self._note(role, "".join(self._parts[mark + 1 : -1]))
        if self._depth == self._watched_depth:
            self._leave()
        self._depth -= 1

    def skipped_entity(self, name: str, _is_parameter: bool) -> None:
        """Take in a reference to an entity that only an external DTD declares."""
        self._parts.append(f"&{name};")

    def _use_frame(self, frame: _Frame) -> None:
        self._tokens = frame.tokens
        self._roles = frame.roles
        self._attributes = frame.attributes
        # The one depth at whose end something is to be done: leave a scope, or end the entry.
        self._watched_depth = max(frame.depth, 1)

    def _learn(self, name: str) -> str:
        if len(self._tokens) >= MAX_NAMES:
            raise Uncuttable(f"more than {MAX_NAMES} element names")
        expanded = self._frames[-1].scope.element(name)
        role = self._vocabulary.roles.get(expanded)
        if role is not None:
            self._roles[name] = role
        token = self._tokens[name] = f"{_ELEMENT}{expanded} "
        return token

    def _show(self, attributes: dict[str, str]) -> str:
        known = self._attributes
        try:
            shown = [known[name] + value for name, value in attributes.items()]
        except KeyError:
            visible = self._learn_attributes(attributes)
            shown = [self._attributes[name] + attributes[name] for name in visible]
        if not shown:
            return ""
        shown.sort()
        return "".join(shown) + _ATTRIBUTES_END

    def _learn_attributes(self, attributes: Mapping[str, str]) -> list[str]:
        """Enter the scope that they declare, if any; return those that a reader sees."""
        scope = self._frames[-1].scope.inside(attributes)
        if scope is not self._frames[-1].scope:
            self._frames.append(_Frame(scope, self._depth))
            self._use_frame(self._frames[-1])
        if len(self._attributes) + len(attributes) > MAX_NAMES:
            raise Uncuttable(f"more than {MAX_NAMES} attribute names")
        visible = []
        for name in attributes:
            expanded = scope.attribute(name)
            if not is_declaration(name) and expanded not in SILENT_ATTRIBUTES:
                self._attributes[name] = f"{_ATTRIBUTE}{expanded} "
                visible.append(name)
        return visible

    def _note(self, role: Role, text: str) -> None:
        text = _collapse(text)
        if text:
            self._found[role] = text

    def _note_href(self, name: str, attributes: Mapping[str, str]) -> None:
        is_atom = self._frames[-1].scope.element(name) == ATOM_LINK
        if is_atom and attributes.get("rel", "alternate") == "alternate":
            self._note(_LINK, self._found.get(_LINK) or attributes.get("href", ""))

    def _leave(self) -> None:
        if self._frames[-1].depth == self._depth:
            self._frames.pop()
            self._use_frame(self._frames[-1])
        if self._depth == 1:
            self._at_end()


def _collapse(text: str) -> str:
    return " ".join(text.split())
