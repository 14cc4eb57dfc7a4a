"""Where the entries of a feed lie in its UTF-8, and what lies around them.

expat only judges whether a document is well-formed. Where it is not, entries are still cut at their
tags, as feed readers do: an entry without an end tag ends where the next one or the feed's own end
tag begins; what a truncated document has of its last entry is left out. More than the formats
allow, entries may stand without a channel, beside it or in several, as long as they inherit the
same, and names of RSS may be in capitals where it has no entry otherwise.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from hub.feeds.encoding import Source, has_text_before
from hub.feeds.markup import (
    APART,
    EXCLAMATION,
    QUESTION,
    REST_OF_TAG,
    SLASH,
    TOKEN,
    attributes,
    is_cut_off,
    is_empty,
    name_of,
)
from hub.feeds.namespaces import Scope, inherited
from hub.feeds.records import MAX_ENTRIES, Format, Surrounding, Uncuttable
from hub.feeds.vocabulary import Vocabulary, in_any_case, vocabulary_of
from hub.feeds.wellformed import find_error

MAX_DEPTH = 256
# Patterns are made of names, and kept.
MAX_NAME_BYTES = 256
# What costs Python some microseconds each is bounded; no feed comes near.
MAX_TAGS_AROUND = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A document taken apart; all offsets are into its UTF-8.

    Attributes:
        doctype: where the document type declaration lies, None where there is none.
        around: the elements around the entries, outermost first.
        scope: the namespaces in force there.
        spans: start and end of each entry, in order.
        end: offset behind the last of the document that can stand.
        closing: end tags that it lacks, as it was truncated.
        related: relation and href of the feed's own links, as written.
        fault: why the document isn't well-formed, or else what its format doesn't allow. None where
            all is well; the first is not asked of a document with a DTD of its own.
    """

    vocabulary: Vocabulary
    doctype: tuple[int, int] | None
    around: tuple[Surrounding, ...]
    scope: Scope
    spans: tuple[tuple[int, int], ...]
    end: int
    closing: bytes
    related: tuple[tuple[str, str], ...]
    fault: str | None


def split(source: Source) -> Split:
    """Return the document taken apart.

    Raises:
        Uncuttable: it is no feed, or of a build that we can't cut.
    """
    return _Splitter(source, is_any_case=False).run()


def _fault(data: bytes, start: int) -> str | None:
    error = find_error(data, start, has_namespaces=False)
    return f"not well-formed: {error.told} (line {error.line})" if error else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    element: Surrounding
    scope: Scope


class _Splitter:
    """Goes from tag to tag of the envelope, and from entry to entry."""

    def __init__(self, source: Source, *, is_any_case: bool) -> None:
        self._source = source
        self._is_any_case = is_any_case
        self._data = source.data
        self._start = source.start
        self._levels: list[_Level] = []
        # The names of the levels by themselves, in which stray end tags are looked for at once.
        self._open_names: list[bytes] = []
        self._vocabulary: Vocabulary | None = None
        self._around: tuple[Surrounding, ...] = ()
        self._scope = Scope()
        self._entry_tag = b""  # of the entry before, while nothing changes around it
        self._channels = 0
        self._is_scattered = False
        self._doctype: tuple[int, int] | None = None
        self._spans: list[tuple[int, int]] = []
        self._related: list[tuple[str, str]] = []
        is_first = not has_text_before(source)
        self._fault = None if is_first else "not well-formed: text before the feed"

    def run(self) -> Split:
        end = self._walk()
        if self._vocabulary is None:
            raise Uncuttable(_fault(self._data, self._start) or "no element")
        is_rss = self._vocabulary.format is Format.RSS
        if is_rss and not self._spans and not self._is_any_case:
            return _Splitter(self._source, is_any_case=True).run()
        oddity = self._oddity(self._vocabulary)
        if oddity and not self._spans:
            raise Uncuttable(oddity)
        return Split(
            vocabulary=self._vocabulary,
            doctype=self._doctype,
            around=self._around,
            scope=self._scope,
            spans=tuple(self._spans),
            end=end,
            closing=b"".join(b"</%b>" % name for name in reversed(self._open_names)),
            related=tuple(self._related),
            fault=self._fault or oddity,
        )

    def _oddity(self, vocabulary: Vocabulary) -> str | None:
        """Return what the format does not allow, though the entries can be cut."""
        if self._is_scattered:
            return "entries in more than one place"
        if self._channels > 1:
            return "more than one channel"
        return "no channel" if vocabulary.channels and not self._channels else None

    def _walk(self) -> int:
        """Return the offset behind the document: its end, or where a truncated one stops."""
        position = self._start
        for _ in range(MAX_TAGS_AROUND):
            token = TOKEN.search(self._data, position)
            if token is None or is_cut_off(token[0]):
                break
            behind = self._take(token)
            if behind is None:
                return token.start()
            position = behind
            if self._vocabulary is not None and not self._levels:
                return len(self._data)
        else:
            raise Uncuttable(f"more than {MAX_TAGS_AROUND} tags and entries")
        return position

    def _take(self, token: re.Match[bytes]) -> int | None:
        """Return the offset behind a token and what goes with it; None behind a cut-off entry."""
        tag = token[0]
        kind = tag[1]
        if kind == EXCLAMATION:
            if self._vocabulary is None and tag.startswith(b"<!DOCTYPE"):
                self._doctype = token.span()
        elif kind == SLASH:
            self._leave(name_of(tag))
        elif kind != QUESTION:
            return self._enter(tag, token.start(), token.end())
        return token.end()

    def _leave(self, name: bytes) -> None:
        """Close an element, and what was left open inside it; a stray end tag closes nothing."""
        if name in self._open_names:
            innermost_first = self._open_names[::-1]
            self._close_levels(len(self._levels) - 1 - innermost_first.index(name))

    def _enter(self, tag: bytes, start: int, end: int) -> int | None:
        if tag == self._entry_tag:
            return self._entry(tag, start, end)
        written = attributes(tag)
        scope = (self._levels[-1].scope if self._levels else Scope()).inside(written)
        name = name_of(tag)
        if len(name) > MAX_NAME_BYTES:
            raise Uncuttable(f"a name of more than {MAX_NAME_BYTES} bytes")
        expanded = scope.element(name.decode("utf-8", "replace"))
        if self._vocabulary is None:
            self._open_root(expanded)
        elif expanded in self._vocabulary.entries and self._go_to_place():
            return self._entry(tag, start, end)
        elif expanded in self._vocabulary.links and self._is_place():
            self._note_link(written)
        element = Surrounding(name=expanded, inherited=tuple(sorted(inherited(written))))
        self._entry_tag = b""
        self._levels.append(_Level(element=element, scope=scope))
        self._open_names.append(name)
        self._note_level()
        if is_empty(tag):
            self._close_levels(len(self._levels) - 1)
        return end

    def _close_levels(self, kept: int) -> None:
        self._entry_tag = b""
        del self._levels[kept:], self._open_names[kept:]

    def _open_root(self, expanded: str) -> None:
        vocabulary = vocabulary_of(expanded)
        self._vocabulary = in_any_case(vocabulary) if self._is_any_case else vocabulary
        self._fault = self._fault or _fault(self._data, self._start)

    def _is_place(self) -> bool:
        """Return whether entries may stand here: RDF has them beside its channel or inside."""
        return len(self._levels) == 1 or (len(self._levels) == 2 and self._is_channel())

    def _go_to_place(self) -> bool:
        """Return whether entries may stand here; elements left open in a broken feed are closed."""
        if self._fault and len(self._levels) > 2:
            self._close_levels(2 if self._is_channel() else 1)
        return self._is_place()

    def _is_channel(self) -> bool:
        assert self._vocabulary is not None
        return self._levels[1].element.name in self._vocabulary.channels

    def _note_level(self) -> None:
        if len(self._levels) > MAX_DEPTH:
            raise Uncuttable(f"elements nested deeper than {MAX_DEPTH}")
        if len(self._levels) == 2 and self._is_channel():
            self._channels += 1
        if not self._spans and self._is_place():
            self._stand_here()

    def _stand_here(self) -> None:
        self._around = tuple(level.element for level in self._levels)
        self._scope = self._levels[-1].scope

    def _note_link(self, written: dict[str, str]) -> None:
        href = written.get("href", "").strip()
        if href:
            self._related += ((rel, href) for rel in written.get("rel", "").lower().split())

    def _entry(self, tag: bytes, start: int, tag_end: int) -> int | None:
        if not self._spans:
            self._stand_here()
        elif tag != self._entry_tag:
            self._note_place()
        self._entry_tag = tag
        if len(self._spans) == MAX_ENTRIES:
            raise Uncuttable(f"more than {MAX_ENTRIES} entries")
        end = tag_end if is_empty(tag) else self._entry_end(name_of(tag), tag_end)
        if end is not None:
            self._spans.append((start, end))
        return end

    def _note_place(self) -> None:
        around = tuple(level.element for level in self._levels)
        if around == self._around:
            return
        if _inherited(around) != _inherited(self._around):
            raise Uncuttable("entries in places that do not inherit the same")
        self._is_scattered = True

    def _entry_end(self, name: bytes, tag_end: int) -> int | None:
        """Return the offset behind an entry by that of its start tag, None where it is cut off."""
        depth = 1
        for token in _boundaries(name, self._open_names[-1]).finditer(self._data, tag_end):
            match token.lastgroup:
                case "end":
                    depth -= 1
                    if not depth:
                        return token.end()
                case "start" if self._fault:
                    return token.start()
                case "start":
                    depth += not is_empty(token[0])
                case "outer" if self._fault:
                    return token.start()
                case _:
                    pass
        return None


def _inherited(around: tuple[Surrounding, ...]) -> list[tuple[tuple[str, str], ...]]:
    return [element.inherited for element in around if element.inherited]


@lru_cache(maxsize=64)
def _boundaries(name: bytes, outer: bytes) -> re.Pattern[bytes]:
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
