"""What a POST to the hub asks for (WebSub 5.1, 6)."""

import enum
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from hub.protocol.lease import LeaseBounds, granted_lease_s
from hub.protocol.own_topics import is_own_topic
from hub.protocol.rejection import RequestRejected as RequestRejected
from hub.protocol.urls import host_of, url_fault

SECRET_MAX_BYTES = 199
VERIFY_TOKEN_MAX_BYTES = 1000
TOPICS_PER_PING_MAX = 1000

_PUBLISH = "publish"
_MODES = "subscribe, unsubscribe or publish"
_PING_FIELDS = frozenset({"hub.url", "hub.url[]", "hub.topic", "hub.topic[]"})
# Only a comma before another URL separates: a comma may also be part of one.
_PING_SEPARATOR = re.compile(r",\s*(?=https?://)", re.IGNORECASE)
_SHOWN_MAX = 100

Fields: TypeAlias = Sequence[tuple[str, str]]
HostRule: TypeAlias = Callable[[str], bool]


class Mode(enum.StrEnum):
    """What a subscriber wants of its subscription (WebSub 5.1)."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"


class SignatureMethod(enum.StrEnum):
    """The recognised names of hash functions (WebSub 7.1)."""

    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"


class Content(enum.StrEnum):
    """What a delivery of a feed holds (hub.content, an extension of this hub).

    Who does not ask gets the new and changed entries of Atom and RSS, and whole JSON Feeds: only of
    the former does WebSub 7 let a hub leave out what was delivered before.
    """

    ENTRIES = "entries"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPolicy:
    """What this hub grants and refuses.

    Attributes:
        signature: the method for all subscriptions, or None to choose for each by how it asks.
        secret_refused: refuse hub.secret, since requests do not come over TLS.
        hub_url: below which the hub's own topics are; None where it has none.
        topic_hosts: which hosts a topic may be on, as far as the name alone tells; None for all.
        callback_hosts: the same for callbacks.
    """

    lease: LeaseBounds
    signature: SignatureMethod | None
    secret_refused: bool
    url_max_bytes: int
    hub_url: str | None = None
    topic_hosts: HostRule | None = None
    callback_hosts: HostRule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRequest:
    """A subscription to begin, renew or end, once its callback confirms it.

    Attributes:
        secret: empty where none was given.
        lease_s: as granted; 0 for an unsubscription.
        verify_token: to be echoed in the verification (PubSubHubbub 0.3).
        content: None for what is usual for the topic's format.
    """

    mode: Mode
    topic: str
    callback: str
    secret: bytes
    lease_s: int
    verify_token: str | None
    signature: SignatureMethod
    content: Content | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishRequest:
    """Topics that have changed: each once, in the order in which they were named."""

    topics: tuple[str, ...]


def parse_request(fields: Fields, policy: RequestPolicy) -> SubscriptionRequest | PublishRequest:
    """Return what the decoded form fields of a POST ask for.

    WebSub 5.1: "Hubs MUST ignore additional request parameters they do not understand."

    Raises:
        RequestRejected: a parameter is missing, repeated, malformed or refused.
    """
    modes = [value.lower() for name, value in fields if name == "hub.mode"]
    if not any(modes):
        raise RequestRejected(f"hub.mode is missing: send {_MODES}.", field="hub.mode")
    # A Ruby client in use repeats hub.mode=publish with each hub.url.
    if set(modes) == {_PUBLISH}:
        return _publish(fields, policy)
    mode = modes[0] if len(modes) == 1 else None
    if mode not in frozenset(Mode):
        raise RequestRejected(f"hub.mode must be one of {_MODES}, sent once.", field="hub.mode")
    return _subscription(Mode(mode), fields, policy)


def _subscription(mode: Mode, fields: Fields, policy: RequestPolicy) -> SubscriptionRequest:
    is_subscribe = mode is Mode.SUBSCRIBE
    topic = _url(fields, "hub.topic", policy)
    callback = _url(fields, "hub.callback", policy)
    if is_subscribe:
        # Nobody fetches what is published here.
        if policy.hub_url is None or not is_own_topic(topic, policy.hub_url):
            _check_host("hub.topic", topic, policy.topic_hosts)
        _check_host("hub.callback", callback, policy.callback_hosts)
    return SubscriptionRequest(
        mode=mode,
        topic=topic,
        callback=callback,
        # WebSub 5.1 on hub.lease_seconds: "This parameter MAY be present for unsubscription
        # requests and MUST be ignored by the hub in that case." The same holds for the rest.
        secret=_secret(fields, policy) if is_subscribe else b"",
        lease_s=_lease_s(fields, policy) if is_subscribe else 0,
        verify_token=_verify_token(fields),
        signature=policy.signature or _signature_by_age(fields),
        content=_content(fields) if is_subscribe else None,
    )


def _publish(fields: Fields, policy: RequestPolicy) -> PublishRequest:
    topics = tuple(dict.fromkeys(_pinged(fields)))
    if not topics:
        raise RequestRejected(
            "hub.url is missing: name at least one topic that has changed.", field="hub.url"
        )
    if len(topics) > TOPICS_PER_PING_MAX:
        raise RequestRejected(
            f"Name at most {TOPICS_PER_PING_MAX} topics as hub.url in one request.",
            field="hub.url",
        )
    for topic in topics:
        fault = url_fault(topic, url_max_bytes=policy.url_max_bytes)
        if fault:
            shown = ascii(topic[:_SHOWN_MAX])
            raise RequestRejected(f"hub.url {fault} (in {shown}).", field="hub.url")
    return PublishRequest(topics=topics)


def _pinged(fields: Fields) -> Iterator[str]:
    for name, value in fields:
        if name in _PING_FIELDS and value:
            yield from _PING_SEPARATOR.split(value)


def _single(fields: Fields, name: str) -> str | None:
    values = [value for key, value in fields if key == name]
    if len(values) > 1:
        raise RequestRejected(f"{name} must be sent only once.", field=name)
    return values[0] if values else None


def _url(fields: Fields, name: str, policy: RequestPolicy) -> str:
    url = _single(fields, name)
    if not url:
        raise RequestRejected(f"{name} is missing: send a URL.", field=name)
    fault = url_fault(url, url_max_bytes=policy.url_max_bytes)
    if fault:
        raise RequestRejected(f"{name} {fault}.", field=name)
    return url


def _check_host(name: str, url: str, rule: HostRule | None) -> None:
    # WebSub 5.1.2 lets a hub refuse at once what its policy is against; who has only forgotten to
    # open a private network would wait for a verification that never comes.
    if rule is None:
        return
    host = host_of(url)
    if host is not None and not rule(host):
        raise RequestRejected(
            f"{name} is on an address that this hub does not connect to: private networks and this "
            "machine are closed, unless the hub's settings open them.",
            field=name,
        )


def _secret(fields: Fields, policy: RequestPolicy) -> bytes:
    secret = (_single(fields, "hub.secret") or "").encode()
    # WebSub 5.1: "This parameter MUST be less than 200 bytes in length."
    if len(secret) > SECRET_MAX_BYTES:
        raise RequestRejected(
            f"hub.secret must be at most {SECRET_MAX_BYTES} bytes long.", field="hub.secret"
        )
    if secret and policy.secret_refused:
        raise RequestRejected(
            "hub.secret is refused here, since requests to this hub do not come over https.",
            field="hub.secret",
        )
    return secret


def _lease_s(fields: Fields, policy: RequestPolicy) -> int:
    lease_s = granted_lease_s(_single(fields, "hub.lease_seconds"), policy.lease)
    if lease_s is None:
        raise RequestRejected(
            "hub.lease_seconds must be a positive whole number of seconds.",
            field="hub.lease_seconds",
        )
    return lease_s


def _verify_token(fields: Fields) -> str | None:
    token = _single(fields, "hub.verify_token")
    if token is not None and len(token.encode()) > VERIFY_TOKEN_MAX_BYTES:
        raise RequestRejected(
            f"hub.verify_token must be at most {VERIFY_TOKEN_MAX_BYTES} bytes long.",
            field="hub.verify_token",
        )
    return token


def _signature_by_age(fields: Fields) -> SignatureMethod:
    # Subscribers written for PubSubHubbub 0.3 and 0.4 (they send hub.verify) know sha1 only, and
    # drop what is signed otherwise in silence.
    is_old = any(name == "hub.verify" for name, _ in fields)
    return SignatureMethod.SHA1 if is_old else SignatureMethod.SHA256


def _content(fields: Fields) -> Content | None:
    content = _single(fields, "hub.content")
    if not content:
        return None
    if content not in frozenset(Content):
        raise RequestRejected("hub.content must be entries or full.", field="hub.content")
    return Content(content)
