"""Which URLs a hub takes, how it sends them, and what it calls them (WebSub 5.1, 5.1.1).

A topic or callback is kept as the exact string that form decoding gave: that string is echoed
and delivered to. Two derived forms exist: `normalised`, which only matches the topics of pings
with those of subscriptions, and `wire_form`, which is what a request line or a header can hold.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit

_ABSOLUTE = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_HOST = re.compile(r"[\w.~-]+|\[[0-9A-Fa-f:.]+\]")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# What a request line or a Link header cannot hold. All other bytes stay as they were given.
_UNSENDABLE = re.compile(r'[^\x21-\x7e]+|["<>]')
_ID_BYTES = 16
# The same few come again and again, and taking one apart costs more than reading all the rest.
_AUTHORITIES_KEPT = 1024
# Longer ones lead nowhere, and whoever makes them up must not fill the memory.
_KEPT_MAX_CHARACTERS = 255


def url_fault(url: str, *, url_max_bytes: int) -> str | None:
    """Return what is wrong with a topic or callback URL, to be read after its name, or None."""
    if _CONTROL.search(url) or _SURROGATE.search(url) or url != url.strip():
        return "must not contain control characters, nor white space around the URL"
    if len(url.encode()) > url_max_bytes:
        return f"must be at most {url_max_bytes} bytes long"
    absolute = _ABSOLUTE.match(url)
    if absolute is None:
        return "must be an absolute http or https URL"
    # PubSubHubbub 0.3 forbids fragments, WebSub is silent. A fragment is never sent to a server,
    # so that topics which differ in it would be one resource.
    if "#" in url:
        return "must not have a fragment: leave out the # and what follows it"
    return _authority_fault(absolute[1])


def host_of(url: str) -> str | None:
    """Return the host of an accepted URL, in lower case and without brackets."""
    absolute = _ABSOLUTE.match(url)
    return None if absolute is None else _host(absolute[1])


def _kept(read: Callable[[str], str | None]) -> Callable[[str], str | None]:
    keeping = lru_cache(maxsize=_AUTHORITIES_KEPT)(read)

    def read_or_recall(authority: str) -> str | None:
        return (keeping if len(authority) <= _KEPT_MAX_CHARACTERS else read)(authority)

    return read_or_recall


@_kept
def _host(authority: str) -> str | None:
    return urlsplit(f"//{authority}").hostname


@_kept
def _authority_fault(authority: str) -> str | None:
    try:
        parts = urlsplit(f"//{authority}")
        port = parts.port
    except ValueError:
        return "must have a valid host and port"
    if "@" in parts.netloc:
        return "must not carry a user name or password"
    host = parts.netloc.rpartition(":")[0] if port is not None else parts.netloc.removesuffix(":")
    if not _HOST.fullmatch(host) or port == 0 or not _is_encodable(host):
        return "must have a valid host and port"
    return None


def _is_encodable(host: str) -> bool:
    try:
        host.encode("ascii" if host.startswith("[") else "idna")
    except UnicodeError:
        return False
    return True


def wire_form(url: str) -> str:
    """Return an accepted URL in ASCII, as a request line and a header can hold it.

    Characters outside ASCII, spaces and `"<>` are percent-encoded as UTF-8, an international host
    name is put in its ASCII form. Every other byte stays: nothing is decoded or re-encoded, since
    WebSub 5.1.1 has the callback's query string preserved.
    """
    if _UNSENDABLE.search(url) is None:
        return url
    scheme, slashes, rest = url.partition("//")
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    authority = rest[:end]
    if not authority.isascii():
        host, colon, port = authority.partition(":")
        authority = host.encode("idna").decode("ascii") + colon + port
    return scheme + slashes + authority + _UNSENDABLE.sub(lambda m: quote(m[0]), rest[end:])


def normalised(url: str) -> str:
    """Return the key that tells whether a ping and a subscription mean one topic.

    Percent-encoded unreserved characters are decoded and other escapes put in upper case (RFC 3986
    6.2.2.1 and 6.2.2.2). Nothing else: scheme, host case and slashes may make another resource.
    """
    return _ESCAPE.sub(_normalised_escape, url)


def _normalised_escape(escape: re.Match[str]) -> str:
    character = unquote(escape[0], encoding="latin-1")
    return character if character in _UNRESERVED else escape[0].upper()


def topic_id(url: str) -> str:
    """Return the id of a topic: 22 characters, safe in keys and URLs, from its exact URL."""
    digest = hashlib.blake2b(url.encode(), digest_size=_ID_BYTES, person=b"topic").digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def subscription_id(topic: str, callback: str) -> bytes:
    """Return the 16-byte id of a subscription, from its exact topic and callback (WebSub 5.1)."""
    topic_bytes = topic.encode()
    # The length in front keeps ("ab", "c") and ("a", "bc") apart.
    content = len(topic_bytes).to_bytes(8, "big") + topic_bytes + callback.encode()
    return hashlib.blake2b(content, digest_size=_ID_BYTES, person=b"subscription").digest()
