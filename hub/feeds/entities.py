"""Entities of a document's own: never expanded, so what they hold is not seen."""

import re
from collections import Counter
from collections.abc import Sequence

# A value without markup, nor anything that may become it: `&#60;` is `<` where it is read again.
_TEXT = rb"""[^%b<&%%]|&#(?!0*(?:60|38);|x0*(?:3[cC]|26);)[0-9a-fA-Fx]{1,8};"""
_PLAIN = re.compile(
    rb"""<!ENTITY\s++([^\s%%"'>]++)\s++(?:"(?>(?:%b)*)"|'(?>(?:%b)*)')\s*+>"""
    % (_TEXT % b'"', _TEXT % b"'")
)
_DECLARED = re.compile(rb"""<!ENTITY\s++([^\s%"'>]++)\s""")
_REFERENCE = re.compile(rb"&([^\s;&<>#]{1,256}+);")


def has_hidden_markup(
    data: bytes, doctype: tuple[int, int], entries: Sequence[tuple[int, int]]
) -> bool:
    """Return whether something between the entries may become markup by the doctype given.

    Args:
        data: the document.
        doctype: where its declarations lie.
        entries: where its entries lie.
    """
    declared = data[slice(*doctype)]
    if b"<!ENTITY" not in declared:
        return False
    # Of two declarations the first counts; either may be it.
    hidden = Counter(_DECLARED.findall(declared)) - Counter(_PLAIN.findall(declared))
    starts = [doctype[1], *(end for _, end in entries)]
    ends = [*(start for start, _ in entries), len(data)]
    between = (data[start:end] for start, end in zip(starts, ends, strict=True))
    return any(name in hidden for text in between for name in _REFERENCE.findall(text))
