"""Words for the tags of an entry: equal for tags that look equal to a reader.

A word is an expanded name and the attributes in order, all set apart with characters that XML
forbids in text.
"""

import re
from collections.abc import Callable, Sequence
from itertools import accumulate, count
from operator import indexOf, itemgetter
from typing import Final, NamedTuple

from hub.feeds.markup import ATTRIBUTE, SLASH, attributes, is_empty, name_of
from hub.feeds.namespaces import Scope, is_declaration
from hub.feeds.vocabulary import SILENT_ATTRIBUTES, Role, Vocabulary

START: Final = b"\x01"
ATTRIBUTE_START: Final = b" \x02"
ATTRIBUTES_END: Final = b" \x03"
END: Final = b"\x04"
SILENT_START: Final = b"\x05"
SILENT_END: Final = b"\x06"

# Bounds on what is remembered: feeds have a few dozen tags that come again.
_WORDS_MAX = 4096
_WORD_MAX_BYTES = 200
_SCOPES_MAX = 64
_SCOPES_DEPTH_MAX = 256
_FORMS_MAX = 256

_QUOTES = b"\"'"
# A start tag of which all values, here left out, stand in double quotes.
_SHAPE = re.compile(rb"""<[^\s/>="']+(?>(?:\s+[^\s=<>"'/][^\s=<>"']*+\s*+=\s*+"")+)\s*+/?>""")
_PLACE = re.compile(rb"\x07(\d+)\x07")
_ATTRIBUTE_NAME = re.compile(rb" \x02([^ ]*+) ")


class _Form(NamedTuple):
    """What stands for all tags that differ in their values alone: a template, and what goes in."""

    template: bytes
    values: Callable[[Sequence[bytes]], object]


class Words(dict[bytes, bytes]):
    """What stands for each tag within one scope; short ones are kept for the next time."""

    __slots__ = ("_attribute_names", "_forms", "_inner", "_scope", "_starts", "_vocabulary")

    def __init__(
        self,
        vocabulary: Vocabulary,
        scope: Scope,
        inner: "dict[tuple[Scope, bytes], Words] | None" = None,
    ) -> None:
        super().__init__()
        self._vocabulary = vocabulary
        self._scope = scope
        self._attribute_names: dict[bytes, bytes] = {}
        self._forms: dict[bytes, _Form | None] = {}
        # Shared with all that are inside, or their number would grow with each level.
        self._inner = {} if inner is None else inner
        self._starts: dict[bytes, bytes] = {}

    def __missing__(self, tag: bytes) -> bytes:
        pieces = tag.split(b'"')
        shape = b'""'.join(pieces[::2])
        form = self._forms.get(shape)
        if form:
            word = form.template % form.values(pieces)
        else:
            if len(pieces) > 1 and shape not in self._forms and len(self._forms) < _FORMS_MAX:
                self._forms[shape] = self._form(shape)
            word = self._end(tag) if tag[1] == SLASH else self._start(tag)
        if len(tag) < _WORD_MAX_BYTES and len(self) < _WORDS_MAX:
            self[tag] = word
        return word

    def inside(self, tag: bytes) -> "Words":
        """Return the words inside an element, by its start tag."""
        words = self._inner.get((self._scope, tag))
        if words is None:
            scope = self._scope.inside(attributes(tag))
            words = Words(self._vocabulary, scope, self._inner)
            if len(tag) < _WORD_MAX_BYTES and len(self._inner) < _SCOPES_MAX:
                self._inner[self._scope, tag] = words
        return words

    def _end(self, tag: bytes) -> bytes:
        name = self._scope.element(name_of(tag).decode("utf-8", "replace"))
        return SILENT_END if self._vocabulary.roles.get(name) is Role.SILENT else END

    def _form(self, shape: bytes) -> _Form | None:
        if not _SHAPE.fullmatch(shape):
            return None
        numbers = count(1, 2)
        word = self._start(re.sub(b'""', lambda _: b'"\x07%d\x07"' % next(numbers), shape))
        names = _ATTRIBUTE_NAME.findall(word)
        # The order of two of equal name hangs on their values.
        if not names or len(set(names)) < len(names):
            return None
        return _Form(
            template=_PLACE.sub(b"%b", word.replace(b"%", b"%%")),
            values=itemgetter(*map(int, _PLACE.findall(word))),
        )

    def _start(self, tag: bytes) -> bytes:
        name = name_of(tag)
        start = self._starts.get(name) or self._learn(name)
        if start is SILENT_START:
            return b"" if is_empty(tag) else start
        if b"=" in tag:
            start += self._attributes(tag)
        return b"%b %b" % (start, END) if is_empty(tag) else start

    def _learn(self, name: bytes) -> bytes:
        expanded = self._scope.element(name.decode("utf-8", "replace"))
        start = START + expanded.encode()
        if self._vocabulary.roles.get(expanded) is Role.SILENT:
            start = SILENT_START
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
        return b"".join((*shown, ATTRIBUTES_END))

    def _learn_attribute(self, written: bytes) -> bytes:
        """Return how an attribute begins, or nothing where a reader doesn't see it."""
        name = written.decode("utf-8", "replace")
        expanded = self._scope.attribute(name)
        is_seen = not is_declaration(name) and expanded not in SILENT_ATTRIBUTES
        start = b"%b%b " % (ATTRIBUTE_START, expanded.encode()) if is_seen else b""
        if len(self._attribute_names) < _WORDS_MAX:
            self._attribute_names[written] = start
        return start


def words_in_scopes(tags: Sequence[bytes], words: Words) -> list[bytes]:
    """Return the words of tags some of which declare namespaces.

    Deeper inside one another than any feed has them, declarations are passed over.
    """
    declaring = (at for at, tag in enumerate(tags) if b"xmlns" in tag and tag[1] != SLASH)
    shown: list[bytes] = []
    outer: list[tuple[Words, int]] = []
    at = depth = 0
    for start in (*declaring, len(tags)):
        rest = iter(tags[at:start])
        while outer:
            try:
                length = indexOf(accumulate(map(_step, rest), initial=depth), 0)
            except ValueError:
                depth += sum(map(_step, tags[at:start]))
                break
            shown += map(words.__getitem__, tags[at : at + length])
            at += length
            words, depth = outer.pop()
        shown += map(words.__getitem__, tags[at:start])
        for tag in tags[start : start + 1]:
            inner = words.inside(tag) if len(outer) < _SCOPES_DEPTH_MAX else words
            shown.append(inner[tag])
            if _step(tag):
                outer.append((words, depth))
                words, depth = inner, 1
        at = start + 1
    return shown


def _step(tag: bytes) -> int:
    """Return how many levels further in one is behind a tag."""
    return -1 if tag[1] == SLASH else 1 - is_empty(tag)
