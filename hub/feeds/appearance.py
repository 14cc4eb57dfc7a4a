"""What an entry says to a reader, and by what it is known.

The tokens of an entry are replaced, one dictionary look-up each, by words that are equal for what
looks equal: expanded names, attributes in order, text with white space collapsed, nothing that the
vocabulary calls silent. Characters that XML forbids in text set the words apart, so no text can
imitate markup. All loops over tokens run in C, but where an entry declares namespaces of its own.
"""

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Final, NamedTuple

from hub.feeds.markup import (
    ATTRIBUTE,
    BRACKET,
    EXCLAMATION,
    QUESTION,
    SLASH,
    TEXTS_AND_TOKENS,
    attributes,
    is_empty,
    name_of,
    resolved,
)
from hub.feeds.namespaces import Scope, is_declaration
from hub.feeds.records import Format
from hub.feeds.vocabulary import SILENT_ATTRIBUTES, Role, Vocabulary

DIGEST_BYTES: Final = 16
# Bounds on what is remembered: feeds have a few dozen tags that come again.
_WORDS_MAX = 4096
_WORD_MAX_BYTES = 200
_SCOPES_MAX = 64
_SILENT_DEPTH_MAX = 8

_CDATA_START, _CDATA_END = len("<![CDATA["), -len("]]>")
_START, _ATTRIBUTE, _ATTRIBUTES_END, _END = b" \x01", b" \x02", b" \x03 ", b" \x04 "
_QUOTES = b"\"'"
_SILENT_START, _SILENT_END = b" \x05", b" \x06 "
_SILENT = re.compile(rb"\x05[^\x05\x06]*+\x06")
_TO_SPACES = bytes.maketrans(b"\t\r\n", b"   ")
_SPACES = re.compile(rb"  +")
_TRACKING = re.compile(rb"""(?<=[?&])(?:utm_[a-z_]{1,20}|fbclid|gclid)=[^&#\s"'<>\x01-\x06]*+&?""")
_LEFT_OVER = re.compile(rb"""(?<![?&])[?&]++(?=[#\s"'<>\x01-\x06])""")


class Draft(NamedTuple):
    """An entry as found, before those of equal names are told apart; a text it lacks is empty.

    A tuple, since as a frozen dataclass it would cost as much as all the rest of a short entry.
    """

    start: int
    end: int
    fingerprint: bytes
    id: bytes
    link: bytes
    title: bytes


def folded(text: bytes) -> bytes:
    """Return a text less what changes unseen: white space, http or https, tracking parameters."""
    text = text.translate(_TO_SPACES).replace(b"https://", b"http://")
    if b"utm_" in text or b"clid=" in text:
        text = _LEFT_OVER.sub(b"", _TRACKING.sub(b"", text))
    return _SPACES.sub(b" ", text)


def digest(text: bytes) -> bytes:
    """Return 16 bytes that stand for a text."""
    return blake2b(text, digest_size=DIGEST_BYTES).digest()


class _Words(dict[bytes, bytes]):
    """What stands for each token within one scope; short ones are kept for the next time."""

    __slots__ = ("_attribute_names", "_inner", "_scope", "_starts", "_vocabulary")

    def __init__(self, vocabulary: Vocabulary, scope: Scope) -> None:
        super().__init__()
        self._vocabulary = vocabulary
        self._scope = scope
        self._attribute_names: dict[bytes, bytes] = {}
        self._starts: dict[bytes, bytes] = {}
        self._inner: dict[bytes, _Words] = {}

    def __missing__(self, token: bytes) -> bytes:
        kind = token[1]
        if kind == EXCLAMATION and token[2] == BRACKET:
            return token[_CDATA_START:_CDATA_END].replace(b"&", b"&amp;")
        if kind in {EXCLAMATION, QUESTION}:
            return b""
        word = self._end(token) if kind == SLASH else self._start(token)
        if len(token) < _WORD_MAX_BYTES and len(self) < _WORDS_MAX:
            self[token] = word
        return word

    def inside(self, tag: bytes) -> "_Words":
        """Return the words inside an element, by its start tag."""
        words = self._inner.get(tag)
        if words is None:
            words = _Words(self._vocabulary, self._scope.inside(attributes(tag)))
            if len(tag) < _WORD_MAX_BYTES and len(self._inner) < _SCOPES_MAX:
                self._inner[tag] = words
        return words

    def _end(self, tag: bytes) -> bytes:
        name = self._scope.element(name_of(tag).decode("utf-8", "replace"))
        return _SILENT_END if self._vocabulary.roles.get(name) is Role.SILENT else _END

    def _start(self, tag: bytes) -> bytes:
        name = name_of(tag)
        start = self._starts.get(name) or self._learn(name)
        if start is _SILENT_START:
            return b"" if is_empty(tag) else start
        if b"=" in tag:
            start += self._attributes(tag)
        return start + _END if is_empty(tag) else start

    def _learn(self, name: bytes) -> bytes:
        expanded = self._scope.element(name.decode("utf-8", "replace"))
        start = b"%b%b " % (_START, expanded.encode())
        if self._vocabulary.roles.get(expanded) is Role.SILENT:
            start = _SILENT_START
        if len(self._starts) < _WORDS_MAX:
            self._starts[name] = start
        return start

    def _attributes(self, tag: bytes) -> bytes:
        names = self._attribute_names
        shown = []
        for written, value in ATTRIBUTE.findall(tag):
            name = names.get(written)
            if name is None:
                name = self._learn_attribute(written)
            if name:
                shown.append(name + (value[1:-1] if value[0] in _QUOTES else value))
        if not shown:
            return b""
        shown.sort()
        return b"".join((*shown, _ATTRIBUTES_END))

    def _learn_attribute(self, written: bytes) -> bytes:
        """Return how an attribute begins, or nothing where a reader doesn't see it."""
        name = written.decode("utf-8", "replace")
        expanded = self._scope.attribute(name)
        is_seen = not is_declaration(name) and expanded not in SILENT_ATTRIBUTES
        start = b"%b%b " % (_ATTRIBUTE, expanded.encode()) if is_seen else b""
        if len(self._attribute_names) < _WORDS_MAX:
            self._attribute_names[written] = start
        return start


class AppearanceReader:
    """Reads entries, one after another, that stand in the same scope."""

    def __init__(self, vocabulary: Vocabulary, scope: Scope) -> None:
        self._words = _Words(vocabulary, scope)
        self._names = [_name_pattern(vocabulary, role) for role in (Role.ID, Role.LINK, Role.TITLE)]
        self._own_id = _own_id_pattern(vocabulary)

    def read(self, data: bytes, start: int, end: int) -> Draft:
        """Return what an entry is known by; the offsets are those of the entry in the data."""
        written = data[start:end]
        parts = TEXTS_AND_TOKENS.split(written)
        if b"xmlns" in written:
            parts[1::2] = _scoped(parts[1::2], self._words)
        else:
            parts[1::2] = map(self._words.__getitem__, parts[1::2])
        shown = folded(resolved(_audible(b"".join(parts))))
        identifier, link, title = (_find(pattern, shown) for pattern in self._names)
        own = self._own_id and self._own_id.match(shown)
        if own:
            identifier = own[1].strip()
        return Draft(start, end, digest(shown), identifier, link, title)


def _audible(text: bytes) -> bytes:
    """Return the words less the silent elements, from the innermost outwards."""
    for _ in range(_SILENT_DEPTH_MAX):
        if b"\x05" not in text:
            break
        text = _SILENT.sub(b"", text)
    return text


def _scoped(tokens: Sequence[bytes], words: _Words) -> Iterator[bytes]:
    """Yield the words of an entry with namespace declarations of its own."""
    outer: list[tuple[int, _Words]] = []
    depth = 0
    for token in tokens:
        kind = token[1]
        if kind == SLASH:
            yield words[token]
            depth -= 1
            if outer and outer[-1][0] >= depth:
                words = outer.pop()[1]
        elif kind in {EXCLAMATION, QUESTION}:
            yield words[token]
        else:
            inner = words.inside(token) if b"xmlns" in token else words
            yield inner[token]
            if is_empty(token):
                continue
            if inner is not words:
                outer.append((depth, words))
                words = inner
            depth += 1


def _name_pattern(vocabulary: Vocabulary, role: Role) -> re.Pattern[bytes]:
    names = [name for name, its_role in vocabulary.roles.items() if its_role is role]
    either = b"|".join(re.escape(name.encode()) for name in names) or rb"(?!)"
    text = rb"\x01(?:%b) (?>(?:\x02[^\x03]*+\x03 )?)([^\x04]*+)" % either
    if role is Role.LINK and vocabulary.format is Format.ATOM:
        # Attributes stand in order, so href comes before rel; without rel it is the alternate.
        text = (
            rb"\x01(?:%b) (?>(?:\x02(?!href |rel )[^\x02\x03]*+)*)\x02href ([^\x02\x03]*+)"
            rb"(?>(?:\x02(?!rel )[^\x02\x03]*+)*)(?:\x02rel alternate |\x03)"
        ) % either
    return re.compile(text)


def _own_id_pattern(vocabulary: Vocabulary) -> re.Pattern[bytes] | None:
    if not vocabulary.id_attributes:
        return None
    names = b"|".join(re.escape(name.encode()) for name in sorted(vocabulary.id_attributes))
    return re.compile(
        rb" ?\x01[^\x01\x02\x04]*+(?>(?:\x02(?!(?:%b) )[^\x02\x03]*+)*)\x02(?:%b) ([^\x02\x03]*+)"
        % (names, names)
    )


def _find(pattern: re.Pattern[bytes], shown: bytes) -> bytes:
    """Return the first match that stands directly in the entry and isn't empty."""
    depth = at = 0
    for found in pattern.finditer(shown):
        start = found.start()
        depth += shown.count(b"\x01", at, start) - shown.count(b"\x04", at, start)
        if depth == 1 and (text := found[1].strip()):
            return text
        at = start
    return b""
