"""Where the entries of a feed lie in its UTF-8, and what lies around them.

expat only judges whether a document is well-formed. Where it is not, entries are still cut at their
tags, as feed readers do: an entry without an end tag ends where the next one or the feed's own end
tag begins; what a truncated document has of its last entry is left out. More than the formats
allow, entries may stand without a channel, beside it or in several, as long as they inherit the
same, and names of RSS may be in capitals where it has no entry otherwise.
"""

import re
from dataclasses import dataclass

from hub.feeds.encoding import Source, has_text_before
from hub.feeds.entities import has_hidden_markup
from hub.feeds.markup import (
    EXCLAMATION,
    QUESTION,
    SLASH,
    TOKEN,
    attributes,
    boundaries,
    is_cut_off,
    is_empty,
    name_of,
    tamed,
)
from hub.feeds.namespaces import Scope, inherited, local_name
from hub.feeds.parts import Split
from hub.feeds.records import MAX_ENTRIES, Format, Surrounding, Uncuttable
from hub.feeds.vocabulary import Vocabulary, in_any_case, vocabulary_of
from hub.feeds.wellformed import BROKEN, fault_of, find_error

MAX_DEPTH = 256
# Patterns are made of names, and kept.
MAX_NAME_BYTES = 256
# What costs Python some microseconds each is bounded; no feed comes near.
MAX_TAGS_AROUND = 200_000
# As a dictionary, attributes take many times their bytes.
MAX_TAG_BYTES = 64 * 1024


def split(source: Source) -> Split:
    """Return the document taken apart.

    Raises:
        Uncuttable: it is no feed, or of a build that we can't cut.
    """
    return _Splitter(source, is_any_case=False).run()


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
        self._entry_names: frozenset[str] = frozenset()
        self._has_foreign = False
        self._is_scattered = False
        self._doctype: tuple[int, int] | None = None
        self._spans: list[tuple[int, int]] = []
        self._related: list[tuple[str, str]] = []
        self._is_well_formed = False
        self._fault = f"{BROKEN}text before the feed" if has_text_before(source) else None
        self._root = b""

    def run(self) -> Split:
        end = self._walk()
        if self._vocabulary is None:
            raise Uncuttable(fault_of(self._data, self._start) or "no element")
        is_rss = self._vocabulary.format is Format.RSS
        if is_rss and not self._spans and not self._is_any_case:
            return _Splitter(self._source, is_any_case=True).run()
        oddity = self._oddity(self._vocabulary)
        if oddity and not self._spans:
            raise Uncuttable(oddity)
        if self._has_foreign and not self._spans:
            raise Uncuttable("entries of another namespace")
        if self._doctype and has_hidden_markup(self._data, self._doctype, self._spans):
            raise Uncuttable("entries may stand in an entity")
        return Split(
            data=self._data,
            vocabulary=self._vocabulary,
            doctype=self._doctype,
            around=self._around,
            scope=self._scope,
            spans=tuple(self._spans),
            end=end,
            closing=b"".join(b"</%b>" % name for name in reversed(self._open_names)),
            related=tuple(self._related),
            fault=self._fault or oddity,
            is_well_formed=self._is_well_formed and not self._fault,
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
        if len(tag) > MAX_TAG_BYTES:
            raise Uncuttable(f"a tag of more than {MAX_TAG_BYTES} bytes")
        written = attributes(tag)
        scope = (self._levels[-1].scope if self._levels else Scope()).inside(written)
        name = name_of(tag)
        if len(name) > MAX_NAME_BYTES:
            raise Uncuttable(f"a name of more than {MAX_NAME_BYTES} bytes")
        expanded = scope.element(name.decode("utf-8", "replace"))
        if self._vocabulary is None:
            self._open_root(name, expanded)
        elif expanded in self._vocabulary.entries and self._go_to_place():
            return self._entry(tag, start, end)
        else:
            self._note_other(name, expanded, written)
        element = Surrounding(name=expanded, inherited=tuple(sorted(inherited(written))))
        self._open_level(_Level(element=element, scope=scope), name)
        if is_empty(tag):
            self._close_levels(len(self._levels) - 1)
        return end

    def _open_level(self, level: _Level, name: bytes) -> None:
        self._entry_tag = b""
        self._levels.append(level)
        self._open_names.append(name)
        self._note_level()

    def _close_levels(self, kept: int) -> None:
        self._entry_tag = b""
        del self._levels[kept:], self._open_names[kept:]

    def _open_root(self, name: bytes, expanded: str) -> None:
        self._root = name
        vocabulary = vocabulary_of(expanded)
        self._vocabulary = in_any_case(vocabulary) if self._is_any_case else vocabulary
        self._entry_names = frozenset(map(local_name, self._vocabulary.entries))
        self._judge()

    def _judge(self) -> None:
        """Find out whether the document is well-formed, as far as that is asked."""
        if self._fault:
            self._note_fault(self._fault)
        elif self._doctype and b"[" in self._data[slice(*self._doctype)]:
            return
        elif find_error(self._data, self._start, has_namespaces=True) is None:
            self._is_well_formed = True
        else:
            # Publishers forget to declare prefixes; that alone is no fault.
            self._note_fault(fault_of(self._data, self._start))

    def _note_fault(self, fault: str | None) -> None:
        self._fault = fault
        if fault:
            self._data = tamed(self._data, self._root)

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

    def _note_other(self, name: bytes, expanded: str, written: dict[str, str]) -> None:
        """Note an element that is no entry, where entries may stand."""
        assert self._vocabulary is not None
        if not self._is_place():
            return
        if expanded in self._vocabulary.links:
            self._note_link(written)
        elif local_name(expanded) in self._entry_names:
            # Readers may take it for an entry; left in the envelope, it would never be news.
            if b":" not in name:
                raise Uncuttable("an entry in a namespace of its own")
            self._has_foreign = True

    def _note_link(self, written: dict[str, str]) -> None:
        # Each word once: thousands of the same would be resolved one by one.
        if href := written.get("href", "").strip():
            self._related += ((rel, href) for rel in {*written.get("rel", "").lower().split()})

    def _entry(self, tag: bytes, start: int, tag_end: int) -> int | None:
        if not self._spans:
            self._stand_here()
        elif tag != self._entry_tag:
            self._note_place()
        self._entry_tag = tag
        if len(self._spans) == MAX_ENTRIES:
            raise Uncuttable(f"more than {MAX_ENTRIES} entries")
        end = tag_end if is_empty(tag) else self._entry_end(name_of(tag), tag_end)
        if end is None and not self._fault:
            # The DTD of its own has kept it from being judged.
            self._note_fault(f"{BROKEN}an entry without end")
            end = self._entry_end(name_of(tag), tag_end)
        if end is not None:
            self._spans.append((start, end))
        return end

    def _note_place(self) -> None:
        around = tuple(level.element for level in self._levels)
        if around == self._around:
            return
        new, old = ([e.inherited for e in at if e.inherited] for at in (around, self._around))
        if new != old:
            raise Uncuttable("entries in places that do not inherit the same")
        self._is_scattered = True

    def _entry_end(self, name: bytes, tag_end: int) -> int | None:
        """Return the offset behind an entry by that of its start tag, None where it is cut off."""
        depth = 1
        for token in boundaries(name, self._open_names[-1]).finditer(self._data, tag_end):
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
