"""One HTTP request and its answer, kept as they were on the wire."""

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from urllib.parse import parse_qsl

Headers = tuple[tuple[str, str], ...]
SHOWN_BODY_BYTES = 400


class Way(StrEnum):
    """Who asked whom."""

    TO_HUB = "suite to hub"
    TO_CALLBACK = "hub to callback"
    TO_TOPIC = "hub to topic"


@dataclass(slots=True, kw_only=True, eq=False)
class Exchange:
    """A request as it arrived or was sent; the answer is filled in once it is known.

    `at_s` and `answered_at_s` are of the monotonic clock; an answer that never came has no status.
    """

    way: Way
    method: str
    target: str
    headers: Headers
    body: bytes
    at_s: float
    status: int | None = None
    answer_headers: Headers = ()
    answer_body: bytes = b""
    answered_at_s: float | None = None

    @property
    def path(self) -> str:
        """The raw path of the request target."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The raw query of the request target."""
        return self.target.partition("?")[2]

    def parameter(self, name: str) -> str | None:
        """Returns the last value of a query parameter: what the hub appended comes last."""
        found = [value for key, value in parse_qsl(self.query, True) if key == name]
        return found[-1] if found else None

    def header(self, name: str) -> str | None:
        """Returns the first value of a request header."""
        return _first(self.headers, name)

    def all_headers(self, name: str) -> list[str]:
        """Returns each value of a request header, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def answer_header(self, name: str) -> str | None:
        """Returns the first value of a header of the answer."""
        return _first(self.answer_headers, name)


def _first(headers: Headers, name: str) -> str | None:
    return next((value for key, value in headers if key.lower() == name.lower()), None)


def status_line(status: int) -> str:
    """Returns a status with its usual phrase."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def render(exchange: Exchange) -> str:
    """Returns an exchange as text: both heads, and as much of the bodies as helps."""
    lines = [f"[{exchange.way.value}]", f"{exchange.method} {exchange.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in exchange.headers]
    lines += _body_lines(exchange.body)
    if exchange.status is None:
        return "\n".join([*lines, "", "(no answer)"])
    lines += ["", f"HTTP/1.1 {status_line(exchange.status)}"]
    lines += [f"{name}: {value}" for name, value in exchange.answer_headers]
    return "\n".join(lines + _body_lines(exchange.answer_body))


def _body_lines(body: bytes) -> list[str]:
    if not body:
        return []
    shown = body[:SHOWN_BODY_BYTES]
    try:
        text = shown.decode()
    except UnicodeDecodeError:
        text = repr(shown)[2:-1]
    if not text.isprintable() and not text.replace("\n", "").isprintable():
        text = repr(text)[1:-1]
    rest = len(body) - len(shown)
    return ["", text.rstrip("\n"), *([f"... {rest} more bytes"] if rest else [])]
