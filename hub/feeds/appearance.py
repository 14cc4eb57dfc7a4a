"""What an entry says to a reader, and by what it is known.

The tags of an entry are replaced, one dictionary look-up each, by words that are equal for what
looks equal: expanded names, attributes in order, text with white space collapsed, nothing that the
vocabulary calls silent. Characters that XML forbids in text set the words apart, so no text can
imitate markup. Many entries are read at once, and all loops over their tags run in C: a few steps
of Python a tag would cost more than all the rest.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import repeat
from typing import Final, NamedTuple

from hub.feeds.markup import resolved, texts_and_tags
from hub.feeds.namespaces import Scope
from hub.feeds.records import Format
from hub.feeds.vocabulary import KEPT, Role, Vocabulary
from hub.feeds.words import Words, words_in_scopes

DIGEST_BYTES: Final = 16
# What so many bytes hold is read at once: more would take no less time, and more memory.
BATCH_BYTES: Final = 32 * 1024
_SILENT_DEPTH_MAX = 8
# Of a longer entry, long texts go by a digest, so that no step in C keeps other threads waiting.
# What is longer still is known by its bytes alone.
LARGE_BYTES: Final = 512 * 1024
_LONG_TEXT = re.compile(rb"(?<=>)[^<>]{4096,}+")
_LONG_CDATA_BYTES = 4096

_BETWEEN = b"\x07"
_SILENT = re.compile(rb"\x05[^\x05-\x07]*+\x06 ?")
_WHITE_SPACE = b" \t\r\n"
_SPACES = re.compile(rb"  +")
# In HTML that is escaped once more, `&` is `&amp;`.
_TRACKING = re.compile(
    rb"""(?:(?<=[?&])|(?<=&amp;))(?:utm_[a-z_]{1,20}|fbclid|gclid)=[^&#\s"'<>\x01-\x07]*+(?:&amp;|&)?"""
)
_LEFT_OVER = re.compile(
    rb"""(?<![?&])(?<!&amp;)(?>(?:[?&]++(?:amp;)?)+)(?=[#\s"'<>\x01-\x07]|\Z)"""
)


class Draft(NamedTuple):
    """An entry as found, before those of equal names are told apart; a text it lacks is empty.

    A tuple, since as a frozen dataclass it would cost as much as all the rest of a short entry.
    """

    fingerprint: bytes
    id: bytes
    link: bytes
    title: bytes


def folded(text: bytes) -> bytes:
    """Return a text less what changes unseen: white space, http or https, tracking parameters."""
    for white in (b"\t", b"\r", b"\n"):
        text = text.replace(white, b" ")
    text = text.replace(b"https://", b"http://")
    if b"utm_" in text or b"clid=" in text:
        text = _BETWEEN.join(map(_untracked, text.split(_BETWEEN)))
    return _SPACES.sub(b" ", text) if b"  " in text else text


def _untracked(text: bytes) -> bytes:
    if b"utm_" in text or b"clid=" in text:
        return _LEFT_OVER.sub(b"", _TRACKING.sub(b"", text))
    return text


def digest(text: bytes) -> bytes:
    """Return 16 bytes that stand for a text."""
    return blake2b(text, digest_size=DIGEST_BYTES).digest()


class AppearanceReader:
    """Reads entries that stand in the same scope.

    Args:
        vocabulary: of their document.
        scope: around them.
        is_well_formed: whether the document is; else one entry could spoil the next.
    """

    def __init__(self, vocabulary: Vocabulary, scope: Scope, *, is_well_formed: bool) -> None:
        self._words = Words(vocabulary, scope)
        self._is_well_formed = is_well_formed
        self._batch_bytes = BATCH_BYTES if is_well_formed else 0
        self._own_id, self._id, self._link, self._title = _patterns(vocabulary)

    def read(self, data: bytes, spans: Iterable[tuple[int, int]]) -> Iterator[bytes]:
        """Yield what each entry says, by the offsets of the entries in the data."""
        batch: list[bytes] = []
        room = self._batch_bytes
        for start, end in spans:
            batch.append(_bounded(data[start:end]))
            room -= end - start
            if room <= 0:
                yield from self._shown(batch)
                batch.clear()
                room = self._batch_bytes
        if batch:
            yield from self._shown(batch)

    def name(self, shown: bytes) -> Draft:
        """Return by what an entry is known if it has no twin, from what it says."""
        identifier = self._find_id(shown)
        link = b"" if identifier else _find(self._link, shown)
        # By place, as by name it takes twice as long.
        return Draft(digest(shown), identifier, link, b"")

    def names(self, shown: bytes) -> Draft:
        """Return all by what an entry is known, from what it says."""
        link, title = _find(self._link, shown), _find(self._title, shown)
        return Draft(digest(shown), self._find_id(shown), link, title)

    def _find_id(self, shown: bytes) -> bytes:
        own = self._own_id and self._own_id.match(shown)
        return own[1].strip() if own else _find(self._id, shown)

    def _shown(self, entries: Sequence[bytes]) -> list[bytes]:
        written = _BETWEEN.join(entries)
        parts = texts_and_tags(written, is_well_formed=self._is_well_formed)
        parts[::2] = map(bytes.strip, parts[::2], repeat(_WHITE_SPACE))
        if b"xmlns" in written:
            parts[1::2] = words_in_scopes(parts[1::2], self._words)
        else:
            parts[1::2] = map(self._words.__getitem__, parts[1::2])
        words = b" %b " % b" ".join(filter(None, parts))
        return folded(resolved(_audible(words))).split(_BETWEEN)


def _bounded(entry: bytes) -> bytes:
    """Return an entry as it can be read in bounded time and memory."""
    if len(entry) <= LARGE_BYTES:
        return entry
    short = b"".join(_without_long_cdata(entry))
    pieces = (short[at : at + LARGE_BYTES] for at in range(0, len(short), LARGE_BYTES))
    short = b"".join(_LONG_TEXT.sub(_digest_of, piece) for piece in pieces)
    return short if len(short) <= LARGE_BYTES else digest(entry).hex().encode()


def _without_long_cdata(entry: bytes) -> Iterator[bytes]:
    at = 0
    while (start := entry.find(b"<![CDATA[", at)) >= 0 and (end := entry.find(b"]]>", start)) >= 0:
        yield entry[at:start]
        at = end + len(b"]]>")
        section = entry[start:at]
        yield section if len(section) < _LONG_CDATA_BYTES else digest(section).hex().encode()
    yield entry[at:]


def _digest_of(text: re.Match[bytes]) -> bytes:
    return digest(text[0]).hex().encode()


def _audible(text: bytes) -> bytes:
    """Return the words less the silent elements, from the innermost outwards."""
    for _ in range(_SILENT_DEPTH_MAX):
        if b"\x05" not in text:
            break
        text = _SILENT.sub(b"", text)
    return text


@lru_cache(maxsize=KEPT)
def _patterns(
    vocabulary: Vocabulary,
) -> tuple[re.Pattern[bytes] | None, re.Pattern[bytes], re.Pattern[bytes], re.Pattern[bytes]]:
    id_, link, title = (
        _name_pattern(vocabulary, role) for role in (Role.ID, Role.LINK, Role.TITLE)
    )
    return _own_id_pattern(vocabulary), id_, link, title


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
    depth = at = behind = 0
    while found := pattern.search(shown, behind):
        start, behind = found.span()
        depth += shown.count(b"\x01", at, start) - shown.count(b"\x04", at, start)
        if depth == 1 and (text := found[1].strip()):
            return text
        at = start
    return b""
