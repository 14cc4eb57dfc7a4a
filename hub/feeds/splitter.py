"""Where the entries of a feed lie: one expat pass, cutting by byte offsets.

expat runs without namespaces, since only so it takes documents with undeclared prefixes; it is
never asked to fetch anything. A DTD with declarations of its own is refused: entities and default
attributes are how a small document becomes a big one.
"""

from dataclasses import dataclass
from xml.parsers import expat

from hub.feeds.encoding import XmlStart
from hub.feeds.entry_reader import MAX_DEPTH, Draft, EntryReader
from hub.feeds.namespaces import Scope, inherited
from hub.feeds.records import Context, Surrounding, Uncuttable
from hub.feeds.vocabulary import ATOM_LINK, Vocabulary, vocabulary_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A document taken apart; links are those of the feed itself, hrefs as written."""

    context: Context
    drafts: tuple[Draft, ...]
    hub_links: tuple[str, ...]
    self_link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    element: Surrounding
    scope: Scope


def split(body: bytes, xml: XmlStart) -> Split:
    """Return the document taken apart.

    Raises:
        Uncuttable: it is no feed, not well-formed, or of a build that we can't cut.
    """
    splitter = _Splitter(body, xml)
    try:
        return splitter.run()
    except expat.ExpatError as error:
        what = expat.ErrorString(error.code)
        raise Uncuttable(f"not well-formed: {what} (line {error.lineno})") from error
    finally:
        splitter.release()


class _Splitter:
    """Expat handlers for what lies around the entries."""

    def __init__(self, body: bytes, xml: XmlStart) -> None:
        self._body = body
        self._xml = xml
        self._vocabulary: Vocabulary | None = None
        self._levels: list[_Level] = []
        self._around: tuple[Surrounding, ...] = ()
        self._has_channel = False
        self._doctype = b""
        self._entry_name = ""
        self._entry_start = 0
        self._drafts: list[Draft] = []
        self._links: list[tuple[str, str]] = []
        self._parser = expat.ParserCreate(xml.encoding)
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._start_doctype
        self._parser.EndDoctypeDeclHandler = self._end_doctype
        self._watch_envelope()

    def run(self) -> Split:
        self._parser.Parse(memoryview(self._body)[self._xml.offset :], True)
        assert self._vocabulary is not None, "a document without a root isn't well-formed"
        if self._vocabulary.channels and not self._has_channel:
            raise Uncuttable("no channel")
        return Split(
            context=Context(
                format=self._vocabulary.format,
                encoding=self._xml.encoding,
                doctype=self._doctype,
                around=self._around,
            ),
            drafts=tuple(self._drafts),
            hub_links=tuple(href for rel, href in self._links if rel == "hub"),
            self_link=next((href for rel, href in self._links if rel == "self"), None),
        )

    def release(self) -> None:
        """Let go of the handlers: parser and splitter hold each other, and a copy of the body."""
        self._parser.StartElementHandler = self._parser.EndElementHandler = None
        self._parser.StartDoctypeDeclHandler = self._parser.EndDoctypeDeclHandler = None
        self._parser.CharacterDataHandler = self._parser.SkippedEntityHandler = None

    def _watch_envelope(self) -> None:
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._parser.SkippedEntityHandler = None

    def _watch_entry(self) -> None:
        self._parser.StartElementHandler = self._reader.start
        self._parser.EndElementHandler = self._reader.end
        self._parser.CharacterDataHandler = self._reader.text
        self._parser.SkippedEntityHandler = self._reader.skipped_entity

    def _start_doctype(
        self, _name: str, _system: str | None, _public: str | None, has_declarations: int
    ) -> None:
        if has_declarations:
            raise Uncuttable("a DTD with declarations of its own")

    def _end_doctype(self) -> None:
        end = self._offset() + len(self._encoded(">"))
        self._doctype = self._body[self._body.rindex(self._encoded("<!DOCTYPE"), 0, end) : end]

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        outer = self._levels[-1].scope if self._levels else Scope()
        scope = outer.inside(attributes)
        expanded = scope.element(name)
        if self._vocabulary is None:
            self._open_root(expanded)
        elif self._is_place():
            if expanded in self._vocabulary.entries:
                self._open_entry(name, attributes)
                return
            if expanded == ATOM_LINK:
                self._note_link(attributes)
        element = Surrounding(name=expanded, inherited=tuple(sorted(inherited(attributes))))
        self._levels.append(_Level(element=element, scope=scope))
        self._note_level(expanded)

    def _end(self, _name: str) -> None:
        self._levels.pop()

    def _open_root(self, expanded: str) -> None:
        self._vocabulary = vocabulary_of(expanded)
        self._reader = EntryReader(self._vocabulary, self._close_entry)

    def _is_place(self) -> bool:
        """Return whether entries may stand here: RDF has them beside its channel or inside."""
        return len(self._levels) == 1 or (len(self._levels) == 2 and self._is_channel())

    def _is_channel(self) -> bool:
        assert self._vocabulary is not None
        return self._levels[1].element.name in self._vocabulary.channels

    def _note_level(self, expanded: str) -> None:
        if len(self._levels) > MAX_DEPTH:
            raise Uncuttable(f"elements nested deeper than {MAX_DEPTH}")
        if len(self._levels) == 2 and self._is_channel():
            if self._has_channel:
                raise Uncuttable("more than one channel")
            self._has_channel = True
        if not self._drafts and self._is_place():
            self._around = self._elements()

    def _elements(self) -> tuple[Surrounding, ...]:
        return tuple(level.element for level in self._levels)

    def _note_link(self, attributes: dict[str, str]) -> None:
        href = attributes.get("href", "").strip()
        if href:
            self._links += ((rel, href) for rel in attributes.get("rel", "").lower().split())

    def _open_entry(self, name: str, attributes: dict[str, str]) -> None:
        around = self._elements()
        if self._drafts and around != self._around:
            raise Uncuttable("entries in more than one place")
        self._around = around
        self._entry_name = name
        self._entry_start = self._offset()
        self._reader.open(name, attributes, self._levels[-1].scope)
        self._watch_entry()

    def _close_entry(self) -> None:
        self._drafts.append(self._reader.close(start=self._entry_start, end=self._entry_end()))
        self._watch_envelope()

    def _entry_end(self) -> int:
        """Return the offset behind the entry; expat stands at its end tag, or behind `<item/>`."""
        here = self._offset()
        end_tag = self._encoded(f"</{self._entry_name}")
        if not self._body.startswith(end_tag, here):
            return here
        closing = self._encoded(">")
        return self._body.index(closing, here + len(end_tag)) + len(closing)

    def _offset(self) -> int:
        return self._xml.offset + self._parser.CurrentByteIndex

    def _encoded(self, text: str) -> bytes:
        return text.encode(self._xml.encoding)
