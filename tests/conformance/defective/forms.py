"""What a POST to the hub asks for (WebSub 5.1, 6)."""

import math
import re
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qsl, urlsplit

from tests.conformance.defective.records import Defects, Intent, Mode, Ping

Fields = Sequence[tuple[str, str]]

_DEFAULT_LEASE_S = 864_000
_LEASE_S_MAX = 30 * 86_400
_YEAR_S = 365 * 86_400
_SECRET_BYTES_MAX = 199
_KNOWN = frozenset(
    f"hub.{name}"
    for name in ("mode", "topic", "callback", "secret", "lease_seconds", "url", "url[]", "topic[]")
)
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_LEASE = re.compile(r"[0-9]{1,40}")
_COMMA = re.compile(r",(?=https?://)")


class Refused(Exception):
    """The request has an error; `sentence` says what to mend (WebSub 5.1.2)."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


def read_fields(body: bytes, defects: Defects) -> Fields:
    """Returns the fields of a form, in order.

    Raises:
        UnicodeDecodeError: the form is not UTF-8 (WebSub 5.1).
    """
    text = body.decode("utf-8")
    if "plus-not-decoded" in defects:
        text = text.replace("+", "%2B")
    encoding = "latin-1" if "form-decoded-as-latin-1" in defects else "utf-8"
    return parse_qsl(text, keep_blank_values=True, encoding=encoding, errors="strict")


def read_request(fields: Fields, defects: Defects) -> Intent | Ping:
    """Returns what the fields ask for.

    Raises:
        Refused: a parameter is missing, repeated or malformed.
    """
    modes = [value.lower() for name, value in fields if name == "hub.mode" and value]
    if not modes and "missing-mode-is-subscribe" in defects:
        modes = ["subscribe"]
    if len(set(modes)) != 1:
        raise Refused("Send hub.mode once: subscribe, unsubscribe or publish.")
    if "unknown-parameters-refused" in defects and any(n not in _KNOWN for n, _ in fields):
        raise Refused("There is a parameter that this hub does not know.")
    match modes[0]:
        case "publish":
            return _ping(fields, len(modes), defects)
        case "subscribe":
            return _subscribe(fields, defects)
        case "unsubscribe":
            return _unsubscribe(fields, defects)
        case _ if "unknown-mode-accepted" in defects:
            return _subscribe(fields, defects)
        case _:
            raise Refused("hub.mode must be subscribe, unsubscribe or publish.")


def _subscribe(fields: Fields, defects: Defects) -> Intent:
    lease_s, announced = _lease(_single(fields, "hub.lease_seconds"), defects)
    return _intent("subscribe", fields, defects, _secret(fields, defects), (lease_s, announced))


def _unsubscribe(fields: Fields, defects: Defects) -> Intent:
    if "unsubscribe-unsupported" in defects:
        raise Refused("This hub has no unsubscription.")
    # WebSub 5.1: hub.lease_seconds "MUST be ignored by the hub in that case".
    if "unsubscribe-lease-refused" in defects and _single(fields, "hub.lease_seconds") is not None:
        raise Refused("hub.lease_seconds has no place in an unsubscription.")
    return _intent("unsubscribe", fields, defects, b"", (0, ""))


def _intent(
    mode: Mode, fields: Fields, defects: Defects, secret: bytes, lease: tuple[float, str]
) -> Intent:
    # Subscribers of PubSubHubbub 0.3 and 0.4 drop all but sha1 in silence.
    is_old = any(name == "hub.verify" for name, _ in fields)
    return Intent(
        mode=mode,
        topic=_url(fields, "hub.topic", defects),
        callback=_url(fields, "hub.callback", defects),
        secret=secret,
        lease_s=lease[0],
        announced=lease[1],
        method="sha1" if is_old or "sha1-signatures" in defects else "sha256",
        verify_token=_single(fields, "hub.verify_token"),
    )


def _single(fields: Fields, name: str) -> str | None:
    values = [value for key, value in fields if key == name]
    if len(values) > 1:
        raise Refused(f"{name} must be sent only once.")
    return values[0] if values else None


def _url(fields: Fields, name: str, defects: Defects) -> str:
    url = _single(fields, name) or ""
    if not url:
        if "missing-url-accepted" in defects:
            return url
        raise Refused(f"{name} is missing: send a URL.")
    if "#" in url and "fragment-kept" not in defects:
        raise Refused(f"{name} must not have a fragment.")
    if not is_url(url) and "bad-url-accepted" not in defects:
        raise Refused(f"{name} must be an absolute http or https URL.")
    if "https-refused" in defects and name == "hub.callback" and url.startswith("https:"):
        raise Refused(f"{name} must be an http URL.")
    if "https-topic-refused" in defects and name == "hub.topic" and url.startswith("https:"):
        raise Refused(f"{name} must be an http URL.")
    return url


def is_url(url: str) -> bool:
    """Returns whether this is an absolute http or https URL without credentials."""
    try:
        parts = urlsplit(url)
        has_place = bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and has_place and not _CONTROL.search(url)


def _secret(fields: Fields, defects: Defects) -> bytes:
    text = _single(fields, "hub.secret") or ""
    secret = text.encode("utf-8")
    if secret and "secret-refused" in defects:
        raise Refused("This hub takes no hub.secret.")
    size = len(text) if "secret-counted-in-characters" in defects else len(secret)
    size_max = float(_SECRET_BYTES_MAX)
    if "secret-199-refused" in defects:
        size_max = 198
    if "secret-200-accepted" in defects:
        size_max = 200
    if "secret-long-accepted" in defects:
        size_max = math.inf
    # WebSub 5.1: "This parameter MUST be less than 200 bytes in length."
    if size > size_max:
        raise Refused("hub.secret must be less than 200 bytes long.")
    return secret


def _lease(asked: str | None, defects: Defects) -> tuple[float, str]:
    """Returns the lease granted, in seconds, and as it is announced."""
    if asked and "lease-refused" in defects:
        raise Refused("This hub takes no hub.lease_seconds.")
    if asked is None and "absent-lease-refused" in defects:
        raise Refused("hub.lease_seconds is missing.")
    if "lease-ignored" in defects:
        asked = None
    if asked == "0" and "zero-lease-perpetual" in defects:
        return math.inf, "0"
    if not asked:
        granted_s = _YEAR_S if "default-lease-long" in defects else _DEFAULT_LEASE_S
    else:
        if not _LEASE.fullmatch(asked) or int(asked) == 0:
            raise Refused("hub.lease_seconds must be a positive whole number.")
        lease_s_max = 10**40 if "lease-unbounded" in defects else _LEASE_S_MAX
        granted_s = min(int(asked), lease_s_max)
    if "lease-zero-announced" in defects:
        return granted_s, "0"
    return granted_s, f"{granted_s}.0" if "lease-float" in defects else str(granted_s)


def _ping(fields: Fields, modes: int, defects: Defects) -> Ping:
    if "publish-unsupported" in defects:
        raise Refused("This hub has no hub.mode=publish.")
    if modes > 1 and "publish-repeated-mode-refused" in defects:
        raise Refused("hub.mode must be sent only once.")
    topics = list(dict.fromkeys(_pinged(fields, defects)))
    if "publish-only-first-url" in defects:
        topics = topics[:1]
    if "publish-only-ten-urls" in defects:
        topics = topics[:10]
    if "publish-errors-accepted" in defects:
        topics = [topic for topic in topics if is_url(topic)]
    elif not topics or not all(is_url(topic) and "#" not in topic for topic in topics):
        raise Refused("Name the topics that have changed as hub.url, absolute http(s) URLs.")
    return Ping(topics=tuple(topics))


def _pinged(fields: Fields, defects: Defects) -> Iterator[str]:
    names = {"hub.url", "hub.url[]", "hub.topic", "hub.topic[]"}
    if "publish-brackets-unread" in defects:
        names -= {"hub.url[]", "hub.topic[]"}
    if "publish-only-hub-url" in defects:
        names -= {"hub.topic", "hub.topic[]"}
    if "publish-only-hub-topic" in defects:
        names -= {"hub.url", "hub.url[]"}
    for name, value in fields:
        if name in names and value:
            yield from [value] if "publish-commas-unread" in defects else _COMMA.split(value)
