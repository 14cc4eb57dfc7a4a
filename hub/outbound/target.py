"""Where a request goes: a URL that has been looked at before libcurl sees it."""

import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urlsplit

# What nearly all URLs are: nothing in them needs a second look.
_PLAIN = re.compile(r"(https?)://([a-z0-9.-]+)(?::([1-9][0-9]{0,4}))?(/[!\"$-\[\]-~]*)?")
_NEVER_IN_A_URL = re.compile(r"[\x00-\x20\x7f\\]")
_PORT_MAX = 65535
_PORTS = {"http": 80, "https": 443}
_ASCII = "".join(map(chr, range(0x21, 0x7F)))


class Target(NamedTuple):
    """A URL the door may try.

    Attributes:
        url: the whole of it, without a fragment.
        origin_form: path and query, exactly as given.
        origin: scheme, host and port, for counting.
    """

    url: str
    origin_form: str
    origin: tuple[str, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class BadUrl:
    """A URL the door doesn't try, and why in a sentence."""

    detail: str


def target_of(url: str) -> Target | BadUrl:
    """Where `url` leads: http or https, a host, no credentials.

    The addresses are the guard's business, at connect time; a difference between this reading
    and libcurl's opens nothing.
    """
    plain = _PLAIN.fullmatch(url)
    if plain is not None and int(plain[3] or 0) <= _PORT_MAX:
        scheme, host, port, path = plain.groups()
        origin = (scheme, host, int(port) if port else _PORTS[scheme])
        return Target(url, path or "/", origin)
    return _looked_at(url)


def _looked_at(url: str) -> Target | BadUrl:
    if _NEVER_IN_A_URL.search(url):
        return BadUrl(detail="The URL holds a space, a backslash or a control character.")
    try:
        parts = urlsplit(url)
        port = parts.port
        whole, path_and_query = _exact(url)
    except ValueError:
        return BadUrl(detail="The URL can't be read.")
    fault = _fault_of(parts)
    if fault is not None:
        return BadUrl(detail=fault)
    host = (parts.hostname or "").lower()
    return Target(
        url=whole,
        origin_form=path_and_query,
        origin=(parts.scheme, host, port or _PORTS[parts.scheme]),
    )


def _fault_of(parts: SplitResult) -> str | None:
    """What speaks against these parts, as a sentence; None where nothing does."""
    if parts.scheme not in _PORTS:
        return "The URL isn't http or https."
    if "@" in parts.netloc:
        return "The URL holds credentials."
    if not parts.hostname:
        return "The URL has no host."
    if not parts.netloc.isascii():
        return "The host isn't ASCII; give it in its xn-- form."
    return None


def _exact(url: str) -> tuple[str, str]:
    """The URL without its fragment, and of that path and query, in ASCII and nothing rewritten."""
    whole = quote(url.partition("#")[0], safe=_ASCII)
    _, _, rest = whole.partition("://")
    start = re.search(r"[/?]", rest)
    if start is None:
        return whole, "/"
    tail = rest[start.start() :]
    return whole, tail if tail.startswith("/") else f"/{tail}"
