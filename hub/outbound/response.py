"""What has come of a response so far, held within bounds.

`take_header` and `take_body` are libcurl's callbacks: None goes on, ABORT ends the transfer. They
must not raise, since what a callback raises is printed and lost.
"""

import enum
from collections import deque

ABORT = -1
_FIRST_FINAL = 200
_LINES_HELD = 64
_BLANK = (b"\r\n", b"\n")


class Excess(enum.Enum):
    """Which bound was passed."""

    HEADERS = enum.auto()
    BODY = enum.auto()


class Received:
    """Head and body of one response; whoever breaks a bound costs that bound, no more.

    Used for one response after the other, so that libcurl is told of the callbacks once.
    """

    __slots__ = ("_body_left", "_chunks", "_header_max_bytes", "_headers_left", "_lines", "excess")

    def __init__(self, *, header_max_bytes: int) -> None:
        self._header_max_bytes = header_max_bytes
        self._lines: list[bytes] = []
        self._chunks: list[bytes] = []
        self.begin(0)

    def begin(self, max_body_bytes: int) -> None:
        """Forgets the last response."""
        self._headers_left = self._header_max_bytes
        self._body_left = max_body_bytes
        self._lines.clear()
        self._chunks.clear()
        self.excess: Excess | None = None

    def take_header(self, line: bytes) -> int | None:
        """None, or ABORT for a line beyond the bound; interim responses and trailers count."""
        self._headers_left -= len(line)
        if self._headers_left < 0:
            self.excess = Excess.HEADERS
            return ABORT
        self._lines.append(line)
        return None

    def take_body(self, chunk: bytes) -> int | None:
        """None, or ABORT where the body grows over its bound; it is then cut at the bound."""
        self._body_left -= len(chunk)
        if self._body_left < 0:
            self._chunks.append(chunk[: self._body_left])
            self.excess = Excess.BODY
            return ABORT
        self._chunks.append(chunk)
        return None

    def body(self) -> bytes:
        """The body as far as it came."""
        return b"".join(self._chunks)

    def headers(self) -> tuple[tuple[str, str], ...] | None:
        """The fields of the final response; None while its head is not complete."""
        return headers_of(self._lines)


class Acknowledged:
    """Whether a response has come, of which nothing but Retry-After matters.

    Its header is bounded by libcurl, at 300 kB; the last lines are held. The callback is one of C,
    since calls of Python for each line cost more than all else in a response without a body.
    """

    __slots__ = ("_body_left", "_has_body", "_lines", "excess", "take_header")

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque(maxlen=_LINES_HELD)
        self.take_header = self._lines.append
        self.begin(0)

    def begin(self, max_body_bytes: int) -> None:
        """Forgets the last response."""
        self._lines.clear()
        self._has_body = False
        self._body_left = max_body_bytes
        self.excess: Excess | None = None

    def take_body(self, chunk: bytes) -> int | None:
        """None, or ABORT where the body grows over its bound."""
        self._has_body = True
        self._body_left -= len(chunk)
        if self._body_left < 0:
            self.excess = Excess.BODY
            return ABORT
        return None

    def is_head_complete(self, status: int) -> bool:
        """Whether all of the final response's head came, by the status that libcurl has read."""
        # Behind the body there may be trailers.
        has_ended = self._has_body or (self._lines and self._lines[-1] in _BLANK)
        return status >= _FIRST_FINAL and bool(has_ended)

    def retry_after(self) -> tuple[tuple[str, str], ...]:
        """That field as it was sent (RFC 9110, 10.2.3); empty without, or in an endless header."""
        # Not libcurl's own reading of it, which stops at 6 hours.
        fields = headers_of(list(self._lines)) or ()
        return tuple(field for field in fields if field[0] == "retry-after")


def headers_of(lines: list[bytes]) -> tuple[tuple[str, str], ...] | None:
    """The fields of the final response among these header lines; None unless its head is complete.

    Args:
        lines: as libcurl hands them out, line ends included: interim responses (RFC 9110, 15.2)
            come before the final one, trailers after it.
    """
    final: tuple[tuple[str, str], ...] | None = None
    fields: list[tuple[str, str]] | None = None
    is_interim = False
    for line in lines:
        if fields is None:
            if line.startswith(b"HTTP/"):
                fields, final = [], None
                is_interim = line.partition(b" ")[2].lstrip().startswith(b"1")
        elif line in _BLANK:
            final, fields = None if is_interim else tuple(fields), None
        else:
            name, _, value = line.decode("latin-1").partition(":")
            fields.append((name.strip().lower(), value.strip(" \t\r\n")))
    return final
