"""One HTTP exchange over a raw socket, since a client library would rewrite request targets."""

import asyncio
import functools
import re
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv6Address, ip_address
from urllib.parse import quote, urljoin

Headers = Sequence[tuple[str, str]]

# The one private address that a protected hub may reach, as an operator may allow one.
REACHABLE = "127.0.0.2"
USER_AGENT = "yardstick-hub (WebSub)"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEAD_BYTES_MAX = 65_536
_PIECE_BYTES = 65_536
_UNSENDABLE = re.compile(r'[^\x21-\x7e]+|["<>]')
_STATUS_LINE = re.compile(r"HTTP/1\.[01] (\d{3})(?: |$)")


class NoAnswer(Exception):
    """No answer came that is HTTP: refused, closed, too late, or never an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What an exchange may take: until the head has come, and for the body after it.

    Attributes:
        reads_on: what is over `body_bytes` is read and thrown away, instead of hanging up.
    """

    head_s: float | None
    body_s: float | None
    body_bytes: int
    reads_on: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""
    is_dechunked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response; `is_whole` is False where its body broke off or went over a bound."""

    status: int
    headers: Headers
    body: bytes
    is_whole: bool

    def header(self, name: str) -> str | None:
        """Returns the first value of a header, named in lower case."""
        return next((value for key, value in self.headers if key == name), None)


def origin_of(url: str) -> str:
    """Returns the scheme, host and port of a URL as they are written."""
    scheme, _, rest = url.partition("://")
    return scheme.lower() + "://" + re.split(r"[/?#]", rest, maxsplit=1)[0].lower()


def redirect_of(answer: Answer, url: str) -> str | None:
    """Returns where an answer of this URL redirects to, or None."""
    location = answer.header("location")
    if answer.status not in _REDIRECTS or location is None:
        return None
    return urljoin(url, location).partition("#")[0]


async def ask(request: Request, bounds: Bounds, defects: frozenset[str]) -> Answer:
    """Returns the answer to a request whose target is sent byte for byte.

    Raises:
        NoAnswer: see there.
    """
    try:
        return await _exchange(request, bounds, defects)
    except ssl.SSLError as error:
        if "https-falls-back-to-http" in defects:
            unsafe_url = "http" + request.url[len("https") :]
            return await ask(replace(request, url=unsafe_url), bounds, defects)
        raise NoAnswer from error
    except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
        raise NoAnswer from error


async def _exchange(request: Request, bounds: Bounds, defects: frozenset[str]) -> Answer:
    async with asyncio.timeout(bounds.head_s):
        reader, writer = await _connect(request.url, defects)
    try:
        # Not drained: who answers before it has read the body is heard at once.
        writer.write(_head(request, defects) + request.body)
        async with asyncio.timeout(bounds.head_s):
            status, headers = await _read_head(reader)
        framing = dict(headers) if request.is_dechunked else {}
        body, is_whole = await _read_body(reader, framing, bounds)
    finally:
        writer.transport.abort()
    return Answer(status=status, headers=headers, body=body, is_whole=is_whole)


async def _connect(
    url: str, defects: frozenset[str]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    scheme, _, authority = origin_of(url).partition("://")
    host, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        host, port = authority, ""
    if scheme not in {"http", "https"} or not host:
        raise ValueError(url)
    host = host.strip("[]")
    if "protected" in defects:
        await _guard(host, defects)
    tls = _tls(is_checked="certificate-not-checked" not in defects) if scheme == "https" else None
    number = int(port) if port else (443 if tls else 80)
    return await asyncio.open_connection(host, number, ssl=tls, limit=_HEAD_BYTES_MAX)


async def _guard(host: str, defects: frozenset[str]) -> None:
    """Looks at each address that a host has, however it is written.

    Raises:
        OSError: one of them is private.
    """
    kind = _kind_of(host)
    if kind == "literal" and "private-literal-reached" in defects:
        return
    if kind == "number" and "private-number-reached" in defects:
        return
    if kind == "name" and "private-name-reached" in defects:
        return
    for *_, address in await asyncio.get_running_loop().getaddrinfo(host, None):
        found = ip_address(address[0])
        mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
        if mapped and "private-mapped-reached" in defects:
            continue
        if not (mapped or found).is_global and str(found) != REACHABLE:
            raise OSError(host)


def _kind_of(host: str) -> str:
    """Returns whether a host is an IPv4 literal, an IPv6 one, a number that is one, or a name."""
    if ":" in host:
        return "ipv6"
    if re.fullmatch(r"\d+\.\d+\.\d+\.\d+", host):
        return "literal"
    return "number" if re.fullmatch(r"0x[0-9a-f]+|[0-9.]+", host) else "name"


@functools.cache
def _tls(*, is_checked: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not is_checked:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _head(request: Request, defects: frozenset[str]) -> bytes:
    _, _, rest = request.url.partition("://")
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    authority, target = rest[:end], rest[end:]
    if not target.startswith("/"):
        target = "/" + target
    # WebSub 5.1.1: nothing is decoded or encoded anew but what no request line can hold.
    target = _UNSENDABLE.sub(lambda match: quote(match[0]), target)
    if "host-without-port" in defects:
        authority = authority.rpartition(":")[0] or authority
    lines = [f"{request.method} {target} HTTP/1.1", f"Host: {authority}"]
    if "no-user-agent" not in defects:
        lines.append(f"User-Agent: {USER_AGENT}")
    lines += [f"{name}: {value}" for name, value in request.headers]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, Headers]:
    while True:
        text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status_line, *lines = text.removesuffix("\r\n\r\n").split("\r\n")
        match = _STATUS_LINE.match(status_line)
        if match is None:
            raise ValueError(status_line)
        if not match[1].startswith("1"):
            break
    fields = (line.partition(":") for line in lines)
    return int(match[1]), [(name.lower(), value.strip()) for name, _, value in fields]


async def _read_body(
    reader: asyncio.StreamReader, headers: dict[str, str], bounds: Bounds
) -> tuple[bytes, bool]:
    body = bytearray()
    try:
        async with asyncio.timeout(bounds.body_s):
            async for piece in _pieces(reader, headers):
                body += piece[: bounds.body_bytes - len(body) + 1]
                if len(body) > bounds.body_bytes and not bounds.reads_on:
                    return bytes(body), False
    except (OSError, EOFError, ValueError):
        return bytes(body), False
    return bytes(body), len(body) <= bounds.body_bytes


async def _pieces(reader: asyncio.StreamReader, headers: dict[str, str]) -> AsyncIterator[bytes]:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while size := int((await reader.readline()).split(b";")[0], 16):
            yield await reader.readexactly(size)
            await reader.readline()
    elif "content-length" in headers:
        left = int(headers["content-length"])
        while left:
            piece = await reader.readexactly(min(left, _PIECE_BYTES))
            left -= len(piece)
            yield piece
    else:
        while piece := await reader.read(_PIECE_BYTES):
            yield piece
